package sdk

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// encodeInfo says of an adapter what a version of the protocol can say.
func encodeInfo(i device.Info, counters bool, version int) *pb.InfoReply {
	out := &pb.InfoReply{Name: i.Name, Version: i.Version, Dialect: i.Dialect, Counters: counters}
	for _, v := range Versions {
		out.Versions = append(out.Versions, uint32(v))
	}
	if version >= telling && i.Late != nil {
		late := int64(*i.Late)
		out.Capabilities = &pb.Capabilities{UndoLateNanoseconds: &late}
	}
	return out
}

func decodeInfo(r *pb.InfoReply, version int) (device.Info, error) {
	out := device.Info{Name: r.GetName(), Version: r.GetVersion(), Dialect: r.GetDialect()}
	if err := understood(r); err != nil {
		return out, err
	}
	for _, v := range r.Versions {
		out.Versions = append(out.Versions, int(v))
	}
	if version < telling && r.Capabilities != nil {
		return out, fmt.Errorf("it declares capabilities, which is of version %d of the protocol, and agreed was version %d", telling, version)
	}
	if c := r.Capabilities; c != nil && c.UndoLateNanoseconds != nil {
		late := time.Duration(*c.UndoLateNanoseconds)
		if late < 0 || late > device.MaxLate {
			return out, fmt.Errorf("its devices undo a change up to %v late: that is not between 0 and %v, and a device that is that late is not to be given filters", late, device.MaxLate)
		}
		out.Late = &late
	}
	return out, nil
}

// The stages have the same order on both sides.
func encodeProgress(p device.Progress) *pb.Progress {
	return &pb.Progress{Stage: pb.Stage(slices.Index(device.Stages, p.Stage) + 1), Done: uint64(p.Done), All: uint64(p.All)}
}

// decodeProgress returns what is not Valid for what is not understood.
func decodeProgress(p *pb.Progress) device.Progress {
	at := int(p.GetStage()) - 1
	if at < 0 || at >= len(device.Stages) || p.GetAll() > math.MaxInt32 || p.GetDone() > p.GetAll() {
		return device.Progress{}
	}
	return device.Progress{Stage: device.Stages[at], Done: int(p.GetDone()), All: int(p.GetAll())}
}
