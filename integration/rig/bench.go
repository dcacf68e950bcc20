package rig

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// Transport is an adapter, and a server that it delivers to.
type Transport struct {
	Adapter device.Adapter
	Target  device.Target
	// State is a filter of n entries; that of n+1 has one more.
	State func(n int) device.State
	// Server is the processor time that the server has used so far; nil: that of the processes that this one started.
	Server func() time.Duration
	// Entries of the filter; 0: 10,000.
	Entries int
}

// Bench measures how long it takes to load a filter, and to change one entry of it: each confirmed, and proven to be held by the adapter's own reading. ms is the time by the clock; cpu-ms and
// server-ms are processor time, of this process and of the server, which other work on the machine does not touch as much. heap-kB is what the state as it was read takes in memory.
func Bench(b *testing.B, t Transport) {
	if t.Entries == 0 {
		t.Entries = 10_000
	}
	if t.Server == nil {
		t.Server = Children
	}
	have := device.State{}
	become := func(want device.State) {
		b.Helper()
		com, err := t.Adapter.Apply(b.Context(), t.Target, device.Diff(have, want), 10*time.Minute)
		if err == nil {
			err = t.Adapter.Confirm(b.Context(), t.Target, com)
		}
		if err != nil {
			b.Fatal(err)
		}
		have = want
	}
	measure := func(name string, before, then func()) {
		b.Run(name, func(b *testing.B) {
			var own, server time.Duration
			for b.Loop() {
				b.StopTimer()
				before()
				own0, server0 := self(), t.Server()
				b.StartTimer()
				then()
				b.StopTimer()
				own, server = own+self()-own0, server+t.Server()-server0
				b.StartTimer()
			}
			n := float64(b.N)
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/n, "ms")
			b.ReportMetric(float64(own.Milliseconds())/n, "cpu-ms")
			b.ReportMetric(float64(server.Milliseconds())/n, "server-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
	measure(fmt.Sprintf("load-%d", t.Entries), func() { become(t.State(1)) }, func() { become(t.State(t.Entries)) })
	measure(fmt.Sprintf("one-of-%d", t.Entries), func() {}, func() { become(t.State(t.Entries + (len(have.Filters[0].Entries)+1-t.Entries)%2)) })
	b.Run("read", func(b *testing.B) {
		before := Heap()
		var st device.State
		for b.Loop() {
			var err error
			if st, err = t.Adapter.Read(b.Context(), t.Target); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(Heap()-before)/1000, "heap-kB")
		runtime.KeepAlive(st)
	})
}

// Heap is how many octets are alive in this process.
func Heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// self is the processor time of this process.
func self() time.Duration { return usage(syscall.RUSAGE_SELF) }

// Thread is the processor time of this thread: that of a goroutine which has it for itself.
func Thread() time.Duration { return usage(syscall.RUSAGE_THREAD) }

func usage(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Resident is how many megabytes of memory a process has, or where depth is 1 its children together.
func Resident(t testing.TB, pid, depth int) float64 {
	t.Helper()
	pids := []string{strconv.Itoa(pid)}
	if depth > 0 {
		pids = nil
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, f := range tasks {
			b, _ := os.ReadFile(f)
			pids = append(pids, strings.Fields(string(b))...)
		}
		slices.Sort(pids)
		pids = slices.Compact(pids)
	}
	sum := 0.0
	for _, p := range pids {
		b, err := os.ReadFile("/proc/" + p + "/statm")
		if err != nil {
			t.Fatal(err)
		}
		pages, err := strconv.Atoi(strings.Fields(string(b))[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += float64(pages*os.Getpagesize()) / 1e6
	}
	return sum
}

// tick is the unit of times in proc(5) on Linux (USER_HZ).
const tick = time.Second / 100

// Children is the processor time of all processes below this one, of those that have ended as well: in hundredths of a second for those that live.
func Children() time.Duration {
	sum := usage(syscall.RUSAGE_CHILDREN)
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	parents, used := map[int]int{}, map[int]time.Duration{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		words := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
		parents[pid], _ = strconv.Atoi(string(words[1]))
		for _, w := range words[11:15] { // utime, stime, cutime, cstime
			n, _ := strconv.Atoi(string(w))
			used[pid] += time.Duration(n) * tick
		}
	}
	for pid, n := range used {
		for p := parents[pid]; p > 1; p = parents[p] {
			if p == os.Getpid() {
				sum += n
				break
			}
		}
	}
	return sum
}
