package gnmi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// DefaultPort is where gNMI listens (IANA: gnmi-gnoi).
const DefaultPort = "9339"

// details are a device's options, parsed.
type details struct {
	ca, cert, key string // files
	serverName    string
	confirmed     bool // the device offers commit confirmed
}

func readDetails(t device.Target) (d details, err error) {
	for name, value := range t.Options {
		switch name {
		case "ca-file":
			d.ca = value
		case "server-name":
			d.serverName = value
		case "cert-file":
			d.cert = value
		case "key-file":
			d.key = value
		case "commit":
			d.confirmed = value == "confirmed"
			if !d.confirmed && value != "immediate" {
				err = fmt.Errorf("%q: want immediate or confirmed", value)
			}
		default:
			err = errors.New("there is no such option; there are ca-file, server-name, cert-file, key-file and commit")
		}
		if err != nil {
			return d, fmt.Errorf("device %s, option %s: %w", t.Name, name, err)
		}
	}
	return d, d.check(t)
}

// check refuses what would be without effect: somebody believes in it.
func (d details) check(t device.Target) error {
	switch {
	case t.HostKey != "" || t.KnownHosts != "":
		return fmt.Errorf("device %s: gNMI has no host keys: its certificate is verified, by the option ca-file", t.Name)
	case d.cert == "" && (d.key != "" || t.PrivateKey != ""):
		return fmt.Errorf("device %s: there is a private key, and no certificate: name it by the option cert-file", t.Name)
	case d.cert != "" && d.key == "" && t.PrivateKey == "":
		return fmt.Errorf("device %s: there is a certificate, and no private key: name it by private-key or the option key-file", t.Name)
	case d.key != "" && t.PrivateKey != "":
		return fmt.Errorf("device %s: private-key and the option key-file are both there", t.Name)
	}
	return nil
}

// Window returns how long the device waits for a confirmation when Apply is asked for undo: whole seconds. The error is about an option of t that this adapter does not have.
func Window(t device.Target, undo time.Duration) (time.Duration, error) {
	_, err := readDetails(t)
	return window(undo), err
}

func window(undo time.Duration) time.Duration {
	return max((undo + time.Second - 1).Truncate(time.Second), time.Second)
}

// address returns where t listens, and the name in its certificate.
func (d details) address(t device.Target) (address, name string) {
	address = t.Address
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), DefaultPort)
	}
	host, _, _ := net.SplitHostPort(address) // as joined or checked above
	if d.serverName != "" {
		host = d.serverName
	}
	return address, host
}

// material is what files say at the moment: certificates are renewed.
type material struct{ ca, cert, key []byte }

func (d details) material(t device.Target) (m material, err error) {
	for _, f := range []struct {
		option, path string
		into         *[]byte
	}{{"ca-file", d.ca, &m.ca}, {"cert-file", d.cert, &m.cert}, {"key-file", d.key, &m.key}} {
		if f.path == "" {
			continue
		}
		if *f.into, err = os.ReadFile(f.path); err != nil {
			return m, fmt.Errorf("device %s, option %s: %w", t.Name, f.option, err)
		}
	}
	if d.key == "" {
		m.key = []byte(t.PrivateKey)
	}
	return m, nil
}

// tls returns how the device is recognised, and how it recognises us.
func (d details) tls(t device.Target, m material) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.InsecureIgnoreHostKey}
	_, config.ServerName = d.address(t)
	if d.ca != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(m.ca) {
			return nil, fmt.Errorf("device %s, option ca-file: there is no certificate in %s", t.Name, d.ca)
		}
	}
	if d.cert == "" {
		return config, nil
	}
	pair, err := tls.X509KeyPair(m.cert, m.key)
	if err != nil {
		return nil, fmt.Errorf("device %s: the client certificate and its key are not a pair in PEM form: %w", t.Name, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
