// Package profiles holds what sluice knows about routers, as data: one YAML file a platform, every limit with its source. The files are
// compiled in; an operator's own directory can stand beside them (see docs/profiles-writing.md).
package profiles

import (
	"embed"
	"io/fs"
	"sync"

	"github.com/sluice-gateway/sluice/core/profile"
)

//go:generate go test . -run TestGenerated -update

//go:embed *.yaml testdata/*.txt
var files embed.FS

var embedded = sync.OnceValue(func() *profile.Library { return profile.Shelf(files, "profiles") })

// Embedded returns the profiles that come with sluice.
func Embedded() *profile.Library { return embedded() }

// Files returns the files themselves, for `sluice profile lint`, and the cases under testdata, for `sluice profile test`.
func Files() fs.FS { return files }
