package gnmi

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/sluice-gateway/sluice/core/device"
)

const (
	maxMessage     = 256 << 20        // octets of an answer: 10,000 entries are some 5 MB, and gRPC's own limit is 4
	idle           = 5 * time.Minute  // after which an unused connection is closed; the next call opens it again
	defaultTimeout = 30 * time.Second // of one exchange, where the target names none
)

// line is the way to one device. Its fields are not changed.
type line struct {
	target   device.Target // for which conn was made
	material material
	conn     *grpc.ClientConn
	creds    *handshaker
	capable  atomic.Bool // it has said that it can do what we need
}

// session is a line in use by one call.
type session struct {
	*line
	adapter *Adapter
	client  gpb.GNMIClient
	details details
}

// open returns the way to t's device. It is kept from call to call as long as nothing about it changes, and made anew after a call that was not answered.
func (a *Adapter) open(ctx context.Context, t device.Target) (*session, error) {
	s, err := a.way(t)
	if err != nil || s.capable.Load() {
		return s, err
	}
	device.Report(ctx, device.Connecting)
	if err := s.capabilities(ctx); err != nil {
		return nil, err
	}
	s.capable.Store(true)
	return s, nil
}

// way is open without asking the device anything.
func (a *Adapter) way(t device.Target) (*session, error) {
	d, err := readDetails(t)
	if err != nil {
		return nil, err
	}
	m, err := d.material(t)
	if err != nil {
		return nil, err
	}
	l, err := a.line(t, d, m)
	if err != nil {
		return nil, err
	}
	return &session{line: l, adapter: a, client: gpb.NewGNMIClient(l.conn), details: d}, nil
}

func (a *Adapter) line(t device.Target, d details, m material) (*line, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lines[t.Name]
	if l != nil && reflect.DeepEqual(l.target, t) && reflect.DeepEqual(l.material, m) {
		return l, nil
	}
	conn, creds, err := dial(t, d, m)
	if err != nil {
		return nil, err
	}
	if l != nil {
		_ = l.conn.Close()
	}
	l = &line{target: t, material: m, conn: conn, creds: creds}
	a.lines[t.Name] = l
	return l, nil
}

// forget closes l: nobody knows what is wrong with it.
func (a *Adapter) forget(l *line) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lines[l.target.Name] == l {
		delete(a.lines, l.target.Name)
	}
	_ = l.conn.Close()
}

// dial makes a connection that is opened by the first call.
func dial(t device.Target, d details, m material) (*grpc.ClientConn, *handshaker, error) {
	config, err := d.tls(t, m)
	if err != nil {
		return nil, nil, err
	}
	if t.Password == "" && d.cert == "" {
		return nil, nil, fmt.Errorf("device %s: no credentials: give it a username and a password, or a client certificate by the option cert-file", t.Name)
	}
	creds := &handshaker{TransportCredentials: credentials.NewTLS(config), last: &atomic.Pointer[error]{}}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithIdleTimeout(idle),
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(), // a Set is made once
		grpc.WithUserAgent("sluice"),
	}
	if t.Username != "" || t.Password != "" {
		options = append(options, grpc.WithPerRPCCredentials(login{t.Username, t.Password}))
	}
	address, _ := d.address(t)
	conn, err := grpc.NewClient("passthrough:///"+address, options...)
	return conn, creds, err
}

// login puts the username and the password into the metadata of each call, over TLS only.
type login struct {
	username string
	password device.Secret
}

func (l login) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"username": l.username, "password": string(l.password)}, nil
}

func (login) RequireTransportSecurity() bool { return true }

// handshaker remembers how the last handshake failed: gRPC keeps the words only.
type handshaker struct {
	credentials.TransportCredentials
	last *atomic.Pointer[error]
}

func (h *handshaker) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, raw)
	h.last.Store(&err)
	return conn, info, err
}

func (h *handshaker) Clone() credentials.TransportCredentials {
	return &handshaker{h.TransportCredentials.Clone(), h.last}
}

// distrusted returns why the device's certificate was not accepted, or nil.
func (h *handshaker) distrusted() error {
	var wrong *tls.CertificateVerificationError
	if last := h.last.Load(); last != nil && errors.As(*last, &wrong) {
		return wrong
	}
	return nil
}

// capabilities asks whether the device can do what we need.
func (s *session) capabilities(ctx context.Context) error {
	var offer *gpb.CapabilityResponse
	err := s.call(ctx, "ask for its capabilities", func(ctx context.Context) (err error) {
		offer, err = s.client.Capabilities(ctx, &gpb.CapabilityRequest{})
		return err
	})
	if err != nil {
		return err
	}
	if !slices.Contains(offer.GetSupportedEncodings(), gpb.Encoding_JSON_IETF) {
		return &device.Refused{Words: fmt.Sprintf("over gNMI it offers the encodings %v, and not JSON_IETF", offer.GetSupportedEncodings())}
	}
	if !slices.ContainsFunc(offer.GetSupportedModels(), func(m *gpb.ModelData) bool { return m.GetName() == module }) {
		return &device.Refused{Words: fmt.Sprintf("over gNMI it offers %d models, and not %s", len(offer.GetSupportedModels()), module)}
	}
	return nil
}

// call makes one exchange with the device within the time that the target has for it.
func (s *session) call(ctx context.Context, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.target.Timeout, defaultTimeout))
	defer cancel()
	return s.judge(what, f(ctx))
}
