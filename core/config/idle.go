package config

import (
	"fmt"
	"time"
)

// Idle is what becomes of rules that match nothing; core/idle says when that is.
type Idle struct {
	After time.Duration // so long without a hit is idle; at least a minute
	Then  string        // show, warn or expire
}

// defaultIdle shows which rules have matched nothing for an hour, and does nothing about it.
var defaultIdle = Idle{After: time.Hour, Then: "show"}

// idleSources gives each source its own idle, or that of the whole file. A key that one leaves out is as in the other.
func (b *builder) idleSources(raw rawConfig, c *Config) {
	all := b.idle("$.idle", raw.Idle, defaultIdle)
	for i := range c.Sources {
		c.Sources[i].Idle = b.idle(fmt.Sprintf("$.sources[%d].idle", i), raw.Sources[i].Idle, all)
	}
}

func (b *builder) idle(path string, raw *rawIdle, otherwise Idle) Idle {
	if raw == nil {
		return otherwise
	}
	out := Idle{After: b.duration(path+".after", raw.After, otherwise.After), Then: otherwise.Then}
	if out.After < time.Minute {
		b.fail(path+".after", "%v is less than a minute: counters are read every few seconds, and a reading may fail", out.After)
	}
	switch raw.Then {
	case "":
	case "show", "warn", "expire":
		out.Then = raw.Then
	default:
		b.fail(path+".then", "%q is none of show, warn, expire", raw.Then)
	}
	return out
}
