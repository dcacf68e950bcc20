package host

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// foreign is what go-plugin says of a plugin whose version was not offered to it.
var foreign = regexp.MustCompile(`incompatible API version with plugin\. Plugin version: (\d+)`)

// incompatible says in our words that a plugin answered in a version that was not offered to it; it returns any other error as it is.
func incompatible(err error, offered []int) error {
	m := foreign.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	theirs, err := strconv.Atoi(m[1])
	if err != nil {
		return err
	}
	what := "take a release of it that was built for one of these"
	if theirs > sdk.Newest() {
		what += ", or a later release of sluice"
	}
	return fmt.Errorf("it speaks %s of the plugin protocol, and was offered %s: %s", sdk.Say([]int{theirs}), sdk.Say(offered), what)
}
