package plan

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// spread has n things done on all processors, so many at a time as piece says. worker returns what does one, for one goroutine; which does which does not matter.
func spread(n, piece int, worker func() func(int)) {
	var next atomic.Int64
	run := func() {
		one := worker()
		for {
			hi := int(next.Add(int64(piece)))
			lo := hi - piece
			if lo >= n {
				return
			}
			for i := lo; i < min(hi, n); i++ {
				one(i)
			}
		}
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+piece-1)/piece) - 1 {
		wg.Go(run)
	}
	run()
	wg.Wait()
}
