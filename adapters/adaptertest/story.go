package adaptertest

// Step is one part of the story.
type Step struct {
	Name string
	// Asks says what an adapter has to do to pass, in a sentence or two.
	Asks string
	tell func(*story, T)
}

// Steps is the story, in its order.
var Steps = []Step{
	{"info", "Info says a name and a version; Read of a device that was never touched returns no filters and no error.", (*story).info},
	{"add", "Apply makes the change at once and returns a token and a deadline (or Confirmed, where the device has no undo timer); Read shows the filter, entry names included, before and after Confirm; once confirmed it stays when the deadline passes.", (*story).add},
	{"render", "Render returns what Apply would send, names the filter in it, returns the same for the same change, and touches nothing.", (*story).render},
	{"change", "Entries are added and changed, and rates of policers, in a filter that is there.", (*story).change},
	{"reorder", "Entries of a filter come to stand in another order.", (*story).reorder},
	{"read by name", "Read with names returns those filters only, and nothing for a name that is not there.", (*story).readByName},
	{"remove", "A filter is removed, and Read no longer shows it.", (*story).remove},
	{"cancel", "Cancel puts back what was there before the change.", (*story).cancel},
	{"no confirmation", "A change that nobody confirms is undone when its deadline passes, by the device or by whatever survives the adapter, and no later after it than Info says (Late); to confirm it then is an error.", (*story).noConfirmation},
	{"crash, then confirm", "The process is killed between Apply and Confirm; the next one confirms with the token alone.", (*story).crashThenConfirm},
	{"crash, then nothing", "The process is killed after Apply and nobody confirms: the change is undone all the same, and the next one is taken.", (*story).crashThenNothing},
	{"foreign edit", "Another hand deletes an entry of ours: Read shows it, and a change that was computed before is *device.Drifted and not made.", (*story).foreignEdit},
	{"foreign removal", "Another hand deletes our filter: a change of it is *device.Drifted with Gone, and it is not put back.", (*story).foreignRemoval},
	{"lost session", "The device carries a change out and the session is lost before the answer: *device.Transient without Unchanged; nobody confirms, so it is undone.", (*story).lostSession},
	{"refused line", "What the device refuses is *device.Refused with the device's own words; nothing is changed and nothing is stuck behind it.", (*story).refusedLine},
	{"no time", "A call whose context has ended is *device.Transient with Unchanged, soon, and changes nothing.", (*story).noTime},
	{"progress", "Apply may say where it is (device.Report), and nobody has to know: stages and counts, while the call lasts, counts that do not go back within a stage; nothing when it has returned.", (*story).progress},
	{"counters", "Counters, where the adapter has it, returns numbers by the names of the entries that the device holds, or of their counters, and nothing of others'; an adapter or a device without counters says that it is unsupported.", (*story).counters},
	{"watch", "Watch, where the adapter has it, says something when it begins and after another hand deleted an entry of ours, beside a Read, and ends when it is told to; a device that says nothing is *device.Refused, an adapter that cannot hear it says that it is unsupported.", (*story).watch},
	{"big table", "A filter of ten thousand entries is written, read back, and takes one entry more.", (*story).bigTable},
}
