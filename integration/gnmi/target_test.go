// Package gnmi_test holds the adapter for gNMI against a target whose schema, validation and JSON are those of ygot, generated from the models of OpenConfig. The glue between them and gNMI is ours, and so is the
// commit-confirmed extension: no vendor's server takes part.
package gnmi_test

import (
	"context"
	"crypto/tls"
	"maps"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	extpb "github.com/openconfig/gnmi/proto/gnmi_ext"
	"github.com/openconfig/ygot/ygot"
	"github.com/openconfig/ygot/ytypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/integration/gnmi/oc"
	"github.com/sluice-gateway/sluice/integration/rig"
)

const (
	username = "sluice"
	password = "hunter2hunter2"
)

// router is a gNMI target.
type router struct {
	gpb.UnimplementedGNMIServer
	target device.Target // how it is reached
	pki    pki

	mu        sync.Mutex
	root      *oc.Device
	confirms  bool // it knows the commit-confirmed extension
	lax       bool // it does not look for faults between leaves, which takes ygot minutes for 10,000 entries
	encodings []gpb.Encoding
	models    []string
	waiting   *waiting
	window    time.Duration // that the last change asked for
	conns     []net.Conn
	hang      bool          // Set and Get do not answer
	loseAfter bool          // the next Set is carried out, and the connection lost
	loseFirst bool          // the next Set is not carried out, and the connection lost
	spoil     func(*router) // what happens after the next Set, unasked
	rpcs      []string
	sets      []*gpb.SetRequest // that it answered
	biggest   int               // octets of an answer to Get
	hits      map[string]uint64 // packets of 100 octets, by the first word of an entry's description; nil: it counts by interface alone
	garbled   bool              // its counters are no numbers
	worked    time.Duration     // of processor time, by what answers Get and Set
	speech    *speech           // who subscribed, and is told of changes; nil: Subscribe is unimplemented
}

// waiting is a change that nobody has confirmed.
type waiting struct {
	id     string
	before *oc.Device
	timer  *time.Timer
}

// start starts a router that is reached with its own authority, a username and a password.
func start(t testing.TB, set ...func(*router)) *router {
	t.Helper()
	r := &router{root: &oc.Device{}, pki: newPKI(t), encodings: []gpb.Encoding{gpb.Encoding_PROTO, gpb.Encoding_JSON_IETF}, models: []string{"openconfig-interfaces", "openconfig-acl"}}
	for _, f := range set {
		f(r)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if r.speech != nil {
		r.speak()
	}
	config := &tls.Config{Certificates: []tls.Certificate{r.pki.server}, ClientCAs: r.pki.pool, ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS12}
	g := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)), grpc.MaxRecvMsgSize(256<<20), grpc.UnaryInterceptor(r.admit), grpc.StreamInterceptor(r.admitStream))
	gpb.RegisterGNMIServer(g, r)
	ended := make(chan struct{})
	go func() { _ = g.Serve(&tracked{l, r}); close(ended) }()
	t.Cleanup(func() { g.Stop(); <-ended })
	r.target = device.Target{Name: "r1", Address: l.Addr().String(), Username: username, Password: password, Timeout: time.Minute,
		Options: map[string]string{"ca-file": r.pki.ca, "server-name": serverName}}
	return r
}

// tracked notes the connections that are made, so that they can be lost.
type tracked struct {
	net.Listener
	r *router
}

func (l *tracked) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.r.mu.Lock()
		l.r.conns = append(l.r.conns, c)
		l.r.mu.Unlock()
	}
	return c, err
}

// lose breaks all connections.
func (r *router) lose() {
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

// admit lets in who has the password or a certificate, and quotes what else comes.
func (r *router) admit(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	r.mu.Lock()
	r.rpcs = append(r.rpcs, info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:])
	hang := r.hang
	r.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := known(ctx); err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := rig.Thread()
	reply, err := next(ctx, req)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.worked += rig.Thread() - before
	return reply, err
}

// known says who is not let in.
func known(ctx context.Context) error {
	in, _ := metadata.FromIncomingContext(ctx)
	if slices.Equal(in.Get("username"), []string{username}) && slices.Equal(in.Get("password"), []string{password}) || certified(ctx) {
		return nil
	}
	return status.Errorf(codes.Unauthenticated, "no such user or password: %v %v", in.Get("username"), in.Get("password"))
}

func (r *router) Capabilities(context.Context, *gpb.CapabilityRequest) (*gpb.CapabilityResponse, error) {
	out := &gpb.CapabilityResponse{SupportedEncodings: r.encodings, GNMIVersion: "0.10.0"}
	for _, m := range r.models {
		out.SupportedModels = append(out.SupportedModels, &gpb.ModelData{Name: m, Organization: "OpenConfig working group"})
	}
	return out, nil
}

// schema is that of the models, with root as its data.
func schema(root *oc.Device) *ytypes.Schema {
	return &ytypes.Schema{Root: root, SchemaTree: oc.SchemaTree, Unmarshal: oc.Unmarshal}
}

func (r *router) Get(_ context.Context, req *gpb.GetRequest) (*gpb.GetResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &gpb.GetResponse{}
	for _, p := range req.Path {
		p = &gpb.Path{Elem: p.Elem}
		nodes, err := ytypes.GetNode(schema(r.root).RootSchema(), r.root, p)
		if err != nil {
			return nil, err // NotFound where there is nothing
		}
		n := &gpb.Notification{Timestamp: time.Now().UnixNano()}
		for _, x := range nodes {
			v, err := ygot.EncodeTypedValue(x.Data, gpb.Encoding_JSON_IETF, &ygot.RFC7951JSONConfig{AppendModuleName: true})
			if err != nil {
				return nil, status.Error(codes.Internal, err.Error())
			}
			if v != nil && req.Type == gpb.GetRequest_ALL {
				if v, err = r.withState(v); err != nil {
					return nil, status.Error(codes.Internal, err.Error())
				}
			}
			if v != nil { // there is something
				n.Update = append(n.Update, &gpb.Update{Path: x.Path, Val: v})
			}
		}
		out.Notification = append(out.Notification, n)
	}
	r.biggest = max(r.biggest, proto.Size(out))
	return out, nil
}

func (r *router) Set(_ context.Context, req *gpb.SetRequest) (*gpb.SetResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loseFirst {
		r.loseFirst = false
		r.lose()
		return nil, status.Error(codes.Internal, "nobody hears this")
	}
	before, err := r.change(req)
	if err == nil {
		err = r.commit(req, before)
	}
	r.sets = append(r.sets, req)
	if err != nil {
		return nil, err
	}
	if r.spoil != nil && len(req.Replace)+len(req.Delete) > 0 {
		spoil := r.spoil
		r.spoil = nil
		spoil(r)
	}
	if r.loseAfter && len(req.Replace)+len(req.Delete) > 0 {
		r.loseAfter = false
		r.lose()
	}
	return &gpb.SetResponse{Timestamp: time.Now().UnixNano()}, nil
}

// change carries out what req asks for, or nothing of it, and returns what was there before.
func (r *router) change(req *gpb.SetRequest) (before *oc.Device, err error) {
	if err := r.mayChange(req); err != nil {
		return nil, err
	}
	if len(req.Replace)+len(req.Update)+len(req.Delete) == 0 {
		return r.root, nil
	}
	copied, err := ygot.DeepCopy(r.root)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	next := copied.(*oc.Device)
	req = proto.Clone(req).(*gpb.SetRequest)
	req.Extension = nil
	if err := ytypes.UnmarshalSetRequest(schema(next), req); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if !r.lax {
		if err := next.Validate(&ytypes.LeafrefOptions{}); err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
	}
	if err := tooClever(next); err != nil {
		return nil, err
	}
	before, r.root = r.root, next
	r.speak()
	return before, nil
}

// tooClever refuses what the hardware cannot hold, as far as anybody can tell.
func tooClever(d *oc.Device) error {
	for _, s := range setsOf(d) {
		if s.AclEntries == nil {
			continue
		}
		for number, e := range s.AclEntries.AclEntry {
			if e.Config.Description != nil && strings.Contains(*e.Config.Description, "r-refused") {
				return status.Errorf(codes.Aborted, "entry %d is too clever for the TCAM", number)
			}
		}
	}
	return nil
}

type aclSets = map[oc.OpenconfigAcl_Acl_AclSets_AclSet_Key]*oc.OpenconfigAcl_Acl_AclSets_AclSet

func setsOf(d *oc.Device) aclSets {
	if d.Acl == nil || d.Acl.AclSets == nil {
		return nil
	}
	return d.Acl.AclSets.AclSet
}

func extension(req *gpb.SetRequest) *extpb.Commit {
	for _, e := range req.GetExtension() {
		if c := e.GetCommit(); c != nil {
			return c
		}
	}
	return nil
}

// mayChange says what gnmi-commit-confirmed.md says of a request that comes at the wrong time.
func (r *router) mayChange(req *gpb.SetRequest) error {
	c := extension(req)
	if !r.confirms {
		return nil
	}
	switch {
	case c != nil && c.GetId() == "":
		return status.Error(codes.InvalidArgument, "a commit without an id")
	case c == nil || c.GetCommit() != nil:
		if r.waiting != nil {
			return status.Error(codes.FailedPrecondition, "a commit waits for its confirmation")
		}
	case r.waiting == nil:
		return status.Error(codes.FailedPrecondition, "no commit waits for its confirmation")
	case r.waiting.id != c.GetId():
		return status.Error(codes.InvalidArgument, "another commit waits for its confirmation")
	}
	return nil
}

// commit does what the extension asks for.
func (r *router) commit(req *gpb.SetRequest, before *oc.Device) error {
	c := extension(req)
	if c == nil || !r.confirms {
		return nil
	}
	switch {
	case c.GetConfirm() != nil:
		r.waiting.timer.Stop()
		r.waiting = nil
	case c.GetCancel() != nil:
		r.undo(r.waiting)
	case c.GetCommit() != nil:
		r.window = c.GetCommit().GetRollbackDuration().AsDuration()
		w := &waiting{id: c.GetId(), before: before}
		w.timer = time.AfterFunc(r.window, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.undo(w)
		})
		r.waiting = w
	default:
		return status.Errorf(codes.Unimplemented, "commit action %T", c.GetAction())
	}
	return nil
}

// undo puts back what was there before w.
func (r *router) undo(w *waiting) {
	if r.waiting == w && w != nil {
		w.timer.Stop()
		r.root, r.waiting = w.before, nil
		r.speak()
	}
}

// with does something to the router that no call of gNMI is needed for.
func (r *router) with(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	r.speak()
}

// dropEntry deletes the first entry of a set.
func (r *router) dropEntry(name string) {
	for key, s := range setsOf(r.root) {
		if key.Name == name {
			entries := s.AclEntries.AclEntry
			delete(entries, slices.Min(slices.Collect(maps.Keys(entries))))
		}
	}
}

func (r *router) dropSet(name string) {
	maps.DeleteFunc(setsOf(r.root), func(key oc.OpenconfigAcl_Acl_AclSets_AclSet_Key, _ *oc.OpenconfigAcl_Acl_AclSets_AclSet) bool {
		return key.Name == name
	})
}

// config returns all that the router holds, as JSON_IETF.
func (r *router) config(t *testing.T) string {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	pruned, err := ygot.DeepCopy(r.root)
	if err != nil {
		t.Fatal(err)
	}
	ygot.PruneEmptyBranches(pruned.(*oc.Device))
	return emit(t, pruned.(*oc.Device))
}

func emit(t *testing.T, root *oc.Device) string {
	t.Helper()
	out, err := ygot.EmitJSON(root, &ygot.EmitJSONConfig{Format: ygot.RFC7951, Indent: " ", RFC7951Config: &ygot.RFC7951JSONConfig{AppendModuleName: true}, SkipValidation: true})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// load makes the router hold a document besides what it holds.
func (r *router) load(t *testing.T, document string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := oc.Unmarshal([]byte(document), r.root); err != nil {
		t.Fatal(err)
	}
	if err := r.root.Validate(); err != nil {
		t.Fatal(err)
	}
	r.speak()
}
