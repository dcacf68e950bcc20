package split

// For tests in package split_test.
var (
	Taken = taken
	Meets = fits
)
