package rig

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// CiscoModels returns the directory of Cisco's models of IOS XR, and NokiaModels that of Nokia's of SR OS. Their licences keep them out of the tree: SLUICE_YANG names a
// directory that has them under iosxr/ and sros/, by default shared/yang beside the tree. Without them the test is skipped, and says so.
func CiscoModels(t testing.TB) string {
	t.Helper()
	return licensed(t, "Cisco", "iosxr", "Cisco-IOS-XR-um-ipv4-access-list-cfg.yang")
}

// CiscoXEModels returns the directory of Cisco's models of IOS XE, iosxe/ beside the others: see CiscoModels.
func CiscoXEModels(t testing.TB) string {
	t.Helper()
	return licensed(t, "Cisco", "iosxe", "Cisco-IOS-XE-acl.yang")
}

// NokiaModels: see CiscoModels. The model of configuration groups is not among them; stub/ has one with names only.
func NokiaModels(t testing.TB) string {
	t.Helper()
	return licensed(t, "Nokia", "sros", "nokia-conf.yang")
}

func licensed(t testing.TB, whose, under, file string) string {
	t.Helper()
	root := os.Getenv("SLUICE_YANG")
	if root == "" {
		_, here, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "yang")
	}
	dir := filepath.Join(root, under)
	if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
		t.Skipf("%s's models are not here (%v): set SLUICE_YANG", whose, err)
	}
	return dir
}
