package notation

func readYAML(in *input) {}
func readJSON(in *input) {}
