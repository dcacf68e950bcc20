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
	dir := filepath.Join(yangRoot(), under)
	if !there(filepath.Join(dir, file)) {
		t.Skipf("%s's models are not here (no %s in %s): set SLUICE_YANG", whose, file, dir)
	}
	return dir
}

// yangRoot returns the directory that has the models.
func yangRoot() string {
	if root := os.Getenv("SLUICE_YANG"); root != "" {
		return root
	}
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "yang")
}

func there(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// FlowSpecModel returns where the model of the flows of IOS XR is, and the file that it begins with: Cisco's own, iosxr/Cisco-IOS-XR-flowspec-oper.yang beside the others (see CiscoModels), or where that is not there ours, which
// has what the gateway asks for.
func FlowSpecModel(t testing.TB) (dir, file string) {
	t.Helper()
	const theirs = "Cisco-IOS-XR-flowspec-oper.yang"
	if dir := filepath.Join(yangRoot(), "iosxr"); there(filepath.Join(dir, theirs)) {
		return dir, theirs
	}
	return FlowSpecModelOfOurs(t), "sluice-flowspec-oper.yang"
}

// FlowSpecModelOfOurs returns the directory of ours, in which flows are configuration: a server that routes nothing can be given some.
func FlowSpecModelOfOurs(t testing.TB) string { return models(t, "flowspec") }

// FirewallModel returns the model of what Junos is asked for counters, and of what it answers.
func FirewallModel(t testing.TB) string {
	return filepath.Join(models(t, "firewall"), "sluice-rpc-firewall.yang")
}
