package reconcile

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/profiles"
)

// unhurried is a router whose adapter says where it is, and makes a change when it is told to.
type unhurried struct {
	*router
	says  func(context.Context)
	goOn  chan struct{}
	after context.Context // of the call, which has returned
}

func (u *unhurried) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	u.says(ctx)
	<-u.goOn
	u.after = ctx
	return u.router.Apply(ctx, t, c, undo)
}

// While a change is being made, everybody sees where it is: the status of the device, the receipts of the rules in it, and the log, which is told no more often than is good for it.
func TestProgress(t *testing.T) {
	bubble(t, func(f *fleet) {
		prof, err := profiles.Embedded().Get("junos-mx")
		if err != nil {
			f.t.Fatal(err)
		}
		r := &unhurried{router: &router{now: time.Now}, goOn: make(chan struct{}), says: func(ctx context.Context) {
			device.Report(ctx, device.Locking)
			time.Sleep(time.Second)
			for i := range 1000 { // a second's work, a thousand lines
				device.ReportCount(ctx, device.Loading, i, 1000)
				time.Sleep(time.Millisecond)
			}
			device.Report(ctx, "hunter2hunter2")
			time.Sleep(30 * time.Second)
			for range 1000 {
				device.Report(ctx, device.Validating)
				device.ReportCount(ctx, device.Loading, 1000, 1000)
			}
		}}
		var log bytes.Buffer
		f.cfg.Groups, f.cfg.Log = nil, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		f.cfg.Devices = []Device{{Name: "mx1", Profile: prof, Options: plan.Options{NoNative: true}, Filter: r, Dialect: plainDialect{}, Confirm: time.Minute}}
		one := discard(f.t, 1, 53)
		f.set(one)
		began := time.Now()
		f.start()
		f.settle(1500 * time.Millisecond)
		p := f.device("mx1").Progress
		if p == nil || p.Call != Applying || p.Stage != device.Loading || p.All != 1000 || p.Done < 400 || !p.Began.Equal(began) || !p.Since.Equal(began.Add(time.Second)) {
			f.t.Fatalf("progress: %+v", p)
		}
		receipt := f.rec.Receipts(one)[0]
		if receipt.State != RulePending || receipt.Progress == nil || !strings.HasPrefix(receipt.Progress.String(), "applying: loading ") || !strings.HasSuffix(receipt.Progress.String(), " of 1000") {
			f.t.Errorf("receipt: %+v", receipt)
		}
		f.settle(time.Minute)
		if p := f.device("mx1").Progress; p == nil || p.Done != 1000 {
			f.t.Errorf("after a minute: %+v", p)
		}
		close(r.goOn)
		f.settle(time.Second)
		device.Report(r.after, device.Checking) // nobody listens any more
		if s := f.device("mx1"); s.State != InSync || s.Progress != nil {
			f.t.Errorf("when it is over: %+v", s)
		}
		if receipt := f.rec.Receipts(one)[0]; receipt.State != RuleHeld || receipt.Progress != nil {
			f.t.Errorf("when it is over: %+v", receipt)
		}
		text := log.String()
		for _, want := range []string{
			`level=DEBUG msg="at the device" device=mx1 call=applying stage=locking since=0s`,
			`level=DEBUG msg="at the device" device=mx1 call=applying stage=loading since=1s done=0 all=1000`,
			`level=INFO msg="the device takes its time" device=mx1 call=applying stage=validating since=32s`,
		} {
			if !strings.Contains(text, want) {
				f.t.Errorf("the log lacks %s\n%s", want, text)
			}
		}
		if n := strings.Count(text, "at the device"); n > 3 || strings.Contains(text, "hunter2") {
			f.t.Errorf("%d lines about stages\n%s", n, text)
		}
	})
}

// A device waits for its turn while others are being changed, and says so.
func TestProgressOfAQueue(t *testing.T) {
	bubble(t, func(f *fleet) {
		prof, err := profiles.Embedded().Get("junos-mx")
		if err != nil {
			f.t.Fatal(err)
		}
		goOn := make(chan struct{})
		f.cfg.Groups, f.cfg.AtOnce, f.cfg.Devices = nil, 1, nil
		for _, name := range []string{"mx1", "mx2"} {
			r := &unhurried{router: &router{now: time.Now}, goOn: goOn, says: func(context.Context) {}}
			f.cfg.Devices = append(f.cfg.Devices, Device{Name: name, Profile: prof, Options: plan.Options{NoNative: true}, Filter: r, Dialect: plainDialect{}, Confirm: time.Minute})
		}
		f.set(discard(f.t, 1, 53))
		f.start()
		f.settle(time.Second)
		calls := map[Call]int{}
		for _, s := range f.rec.Status() {
			if s.Progress == nil {
				f.t.Fatalf("%s: nothing is said", s.Name)
			}
			calls[s.Progress.Call]++
			if s.Progress.Call == Applying && s.Progress.String() != "applying" { // its adapter says nothing
				f.t.Errorf("%s: %s", s.Name, s.Progress)
			}
		}
		if calls[Applying] != 1 || calls[Queueing] != 1 {
			f.t.Errorf("calls: %v", calls)
		}
		close(goOn)
		f.settle(time.Second)
		for _, s := range f.rec.Status() {
			if s.State != InSync || s.Progress != nil {
				f.t.Errorf("%+v", s)
			}
		}
	})
}
