package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/profiles"
)

// policed is a neighbour whose routes leave under a policy.
type policed struct {
	*neighbour
	policy device.Policy
	next   *device.Policy
}

func (p *policed) SetPolicy(next device.Policy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = &next
}

func (p *policed) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	p.mu.Lock()
	if p.next != nil {
		p.policy, p.next = *p.next, nil
		clear(p.held)
	}
	p.mu.Unlock()
	var leaving device.Change
	var refused error
	for _, s := range c.Steps {
		r, err := p.policy.Of(s.Route)
		if err != nil && s.Op != device.Remove {
			refused = &device.Refused{Words: err.Error()}
		}
		if err == nil {
			marked := *r
			marked.Communities = slices.Concat(r.Communities, p.policy.OnAll())
			leaving.Steps = append(leaving.Steps, device.Step{Op: s.Op, Route: &marked})
		}
	}
	done, err := p.neighbour.Apply(ctx, t, leaving, undo)
	return done, errors.Join(err, refused)
}

// startPoliced runs a gateway whose devices all have a policy.
func (f *fleet) startPoliced(p device.Policy) {
	others := map[string]func(*neighbour) device.Adapter{}
	for i := range f.cfg.Devices {
		f.cfg.Devices[i].Policy, f.cfg.Devices[i].Options.VPNs = p, nil
		f.cfg.Devices[i].Sends = func(p device.Policy) []string { return []string{fmt.Sprint(slices.Concat(p.Add.Plain, p.OnAll()))} }
		for _, v := range p.VRFs {
			f.cfg.Devices[i].Options.VPNs = append(f.cfg.Devices[i].Options.VPNs, v.Of)
		}
		others[f.cfg.Devices[i].Name] = func(n *neighbour) device.Adapter { return &policed{neighbour: n, policy: p} }
	}
	f.startWith(others)
}

// bears checks which communities the routes of a router bear.
func (f *fleet) bears(name string, want ...uint32) {
	f.t.Helper()
	f.peers[name].mu.Lock()
	defer f.peers[name].mu.Unlock()
	for match, r := range f.peers[name].held {
		if !slices.Equal(r.Communities, want) {
			f.t.Errorf("%s: %s bears %v, want %v", name, match, r.Communities, want)
		}
	}
}

func adding(c ...uint32) device.Policy { return device.Policy{Add: device.Marks{Plain: c}} }

// Other communities in the configuration go to the canary at once, to its group when it has stood with them, and to a device in no group when a person wants them; until then whatever it is
// given leaves as before, also over a restart.
func TestPolicyIsStaged(t *testing.T) {
	for name, c := range map[string]struct {
		was, is     device.Policy
		bore, bears []uint32
	}{
		"communities of the devices":    {adding(7), adding(8), []uint32{7}, []uint32{8}},
		"the community of the gateway":  {device.Policy{Community: 7}, device.Policy{Community: 8}, []uint32{7}, []uint32{8}},
		"NO_EXPORT on all, and no more": {device.Policy{NoExport: true}, device.Policy{}, []uint32{device.NoExport}, nil},
	} {
		t.Run(name, func(t *testing.T) { stagedPolicy(t, c.was, c.is, c.bore, c.bears) })
	}
}

func stagedPolicy(t *testing.T, was, is device.Policy, bore, bears []uint32) {
	bubble(t, func(f *fleet) {
		f.cfg.Software, f.cfg.Groups[0].Soak = "v1", time.Hour
		one, two := discard(f.t, 1, 53), discard(f.t, 2, 53)
		f.set(one)
		f.startPoliced(was)
		f.settle(time.Minute)
		f.bears("lone", bore...)
		f.stop()

		f.startPoliced(is)
		f.set(one, two)
		f.settle(watched + time.Second)
		f.holds("canary edge1 edge2 lone", one, two)
		f.bears("canary", bears...)
		f.bears("edge1", bore...)
		f.bears("lone", bore...)
		f.wantRollout(Soaking, "the canaries have the plans of this version")
		for _, name := range []string{"edge1", "lone"} {
			if s := f.device(name); s.State != Behind || s.Proposed != 2 || !slices.Equal(s.Sends, []string{fmt.Sprint(bore)}) {
				f.t.Errorf("%s: %+v", name, s)
			}
		}
		if s := f.device("canary"); s.State != InSync || !slices.Equal(s.Sends, []string{fmt.Sprint(bears)}) {
			f.t.Errorf("canary: %+v", s)
		}
		list, err := f.rec.Proposals("lone")
		if err != nil || len(list) != 2 || !slices.Equal(list[0].Was.Routes[0].Communities, bore) || !slices.Equal(list[0].Is.Routes[0].Communities, bears) {
			f.t.Errorf("proposed %+v, error %v", list, err)
		}
		f.set(one)
		f.holds("canary edge1 edge2 lone", one)
		f.stop()

		f.startPoliced(is)
		f.settle(time.Minute)
		f.bears("edge1", bore...)
		f.settle(time.Hour)
		f.holds("edge1 edge2 lone", one)
		f.bears("edge1", bears...)
		f.bears("edge2", bears...)
		f.bears("lone", bore...)
		f.wantRollout(RolledOut, "")
		if err := f.rec.Adopt("lone"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(0)
		f.bears("lone", bears...)
		if s := f.device("lone"); s.State != InSync || !slices.Equal(s.Sends, []string{fmt.Sprint(bears)}) {
			f.t.Errorf("lone: %+v", s)
		}
		f.stop()
		f.startPoliced(is)
		f.bears("lone", bears...)
		if s := f.device("lone"); s.State != InSync {
			f.t.Errorf("lone: %+v", s)
		}
	})
}

// A canary that ends its session over other communities keeps them from the others.
func TestPolicyThatTheCanaryDoesNotStand(t *testing.T) {
	bubble(t, func(f *fleet) {
		f.cfg.Software, f.cfg.Groups[0].Soak = "v1", time.Minute
		one := discard(f.t, 1, 53)
		f.set(one)
		f.startPoliced(adding(7))
		f.settle(time.Minute)
		f.stop()
		f.startPoliced(adding(8))
		f.peers["canary"].set(true)
		f.peers["canary"].set(false)
		f.settle(time.Hour)
		f.wantRollout(Stopped, "canary lost its BGP session")
		f.bears("edge1", 7)
	})
}

// A policy that changes nothing of what the devices have is not asked about.
func TestPolicyThatChangesNothing(t *testing.T) {
	bubble(t, func(f *fleet) {
		f.cfg.Software = "v1"
		f.set(discard(f.t, 1, 53))
		f.startPoliced(device.Policy{})
		f.settle(time.Minute)
		f.stop()
		f.startPoliced(device.Policy{Strip: device.Marks{Plain: []uint32{9}}})
		if s := f.device("lone"); s.State != InSync {
			f.t.Errorf("lone: %+v", s)
		}
	})
}

// A VPN that the configuration gives a device, another route distinguisher for one it has, and the end of one: the device goes on with what it has of each, and is given what is new of the others.
func TestVRFsAreStaged(t *testing.T) {
	bubble(t, func(f *fleet) {
		prof, err := profiles.Embedded().Get("generic")
		if err != nil {
			f.t.Fatal(err)
		}
		f.become(prof)
		f.cfg.Software, f.cfg.Groups = "v1", nil
		a, b, c := flowspec.RD{7: 1}, flowspec.RD{7: 2}, flowspec.RD{7: 3}
		within := func(r flowspec.Rule, rd flowspec.RD) flowspec.Rule {
			var err error
			if r.Match, err = r.Match.InVPN(rd); err != nil {
				f.t.Fatal(err)
			}
			r.ID = flowspec.ID(string(r.ID) + fmt.Sprint(rd))
			return r
		}
		vrf := func(of flowspec.RD, last byte) device.VRF {
			return device.VRF{Name: fmt.Sprint(of), Of: of, RD: flowspec.RD{6: 9, 7: last}, Targets: []flowspec.ExtComm{"\x00\x02\xfb\xf4\x00\x00\x00" + flowspec.ExtComm(last)}}
		}
		plain, inA, inB, inC := discard(f.t, 1, 53), within(discard(f.t, 1, 53), a), within(discard(f.t, 2, 53), b), within(discard(f.t, 3, 53), c)
		as := func(r flowspec.Rule, last byte) flowspec.Rule {
			var err error
			if r.Match, err = r.Match.InVPN(flowspec.RD{6: 9, 7: last}); err != nil {
				f.t.Fatal(err)
			}
			return r
		}
		f.set(plain, inA, inB, inC)
		f.startPoliced(device.Policy{VRFs: []device.VRF{vrf(a, 1), vrf(b, 2)}})
		f.settle(time.Minute)
		f.holds("lone", plain, as(inA, 1), as(inB, 2))
		f.stop()

		f.startPoliced(device.Policy{VRFs: []device.VRF{vrf(a, 11), vrf(c, 3)}}) // a is another one there, b is no more, c is new
		f.holds("lone", plain, as(inA, 1), as(inB, 2))
		if s := f.device("lone"); s.State != Behind || s.Proposed != 3 {
			f.t.Errorf("lone: %+v", s)
		}
		fresh, freshA, freshC := discard(f.t, 5, 53), within(discard(f.t, 6, 53), a), within(discard(f.t, 7, 53), c)
		f.set(plain, inA, inB, inC, fresh, freshA, freshC)
		f.holds("lone", plain, as(inA, 1), as(inB, 2), fresh, as(freshA, 1))
		f.set(plain, inA, inC, fresh, freshA, freshC)
		f.holds("lone", plain, as(inA, 1), fresh, as(freshA, 1))
		if err := f.rec.Adopt("lone"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(0)
		f.holds("lone", plain, as(inA, 11), fresh, as(freshA, 11), as(inC, 3), as(freshC, 3))
		if s := f.device("lone"); s.State != InSync {
			f.t.Errorf("lone: %+v", s)
		}
	})
}
