package oc

// The models are those of integration/rig/testdata/openconfig (Apache-2.0, LICENSE there). The generator also wants ietf-yang-types, which is in Debian's netconfd; this code has nothing of it.
//
//go:generate sh -c "go run github.com/openconfig/ygot/generator@v0.36.0 -path=../../rig/testdata/openconfig,/usr/share/yuma/modules/ietf -output_file=oc.go -package_name=oc -generate_fakeroot -fakeroot_name=device -compress_paths=false -shorten_enum_leaf_names -typedef_enum_with_defmod -exclude_modules=ietf-interfaces -exclude_state -include_schema=true openconfig-acl.yang && sed -i 's,[^ ]*/ygot@[^ ]*/genutil/names.go,ygot/generator,' oc.go && gofmt -w oc.go"
