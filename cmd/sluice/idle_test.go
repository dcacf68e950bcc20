package main

import (
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/idle"
)

// The neighbours of a prefix fare as their source says, and the rules of a source that is no longer configured are left alone.
func TestIdlePolicyOfSources(t *testing.T) {
	t.Parallel()
	g := &gateway{cfg: &config.Config{Sources: []config.Source{
		{Name: "api", Idle: config.Idle{After: time.Hour, Then: "show"}},
		{Name: "detectors", Idle: config.Idle{After: 30 * time.Minute, Then: "expire"}},
	}}}
	for name, want := range map[string]idle.Policy{
		"api": {After: time.Hour, Then: idle.Show}, "detectors@192.0.2.65": {After: 30 * time.Minute, Then: idle.Expire}, "gone": {After: time.Hour, Then: idle.Show},
	} {
		if got := g.idlePolicy(flowspec.Source(name)); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}
