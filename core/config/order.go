package config

import (
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
)

// ReadOrder reads an order that was measured on a device: routes in any notation, first evaluated first. What they do is not looked at. It is read whole or not at
// all: an error says what is wrong at which line of file.
func ReadOrder(file string, b []byte) (*plan.MeasuredOrder, error) {
	result := notation.Read(file, b, notation.Options{})
	for _, p := range result.Problems {
		if p.Severity == notation.Error {
			return nil, fmt.Errorf("%s: %s", p.Pos, p.Message)
		}
	}
	if len(result.Items) == 0 {
		return nil, errors.New(file + ": there is no FlowSpec rule in it")
	}
	listed := make([]flowspec.Match, len(result.Items))
	for i, it := range result.Items {
		if it.Withdraw {
			return nil, fmt.Errorf("%s: a withdrawal has no place in an order", it.Pos)
		}
		listed[i] = it.Rule.Match
	}
	order, err := plan.NewMeasuredOrder(listed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return order, nil
}
