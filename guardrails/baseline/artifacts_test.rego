package helix.artifacts_test

import data.helix.fixtures as f
import data.helix.rules_test.judge
import data.helix.rules_test.plain

from_base(base) := f.built(object.union(f.image, {"base": [base]}))

test_floating_bases if {
	every base in ["node", "node:latest", "registry.example:5000/team/node", "registry.example:5000/node:latest", "debian"] {
		f.broken(plain(from_base(base))) == {"image-tag"}
	}
	f.paths(plain(from_base("node")), "image-tag") == {"artifacts.web.base"}
}

test_fixed_bases if {
	every base in ["node:22", "node:22.1-slim", "scratch", "registry.example:5000/node:22", "node@sha256:0123", "node:22@sha256:0123"] {
		count(plain(from_base(base))) == 0
	}
}

run_as(user) := f.built(object.union(f.image, {"user": user}))

test_root if {
	every user in ["", "root", "0", "0:0", "root:root", ":1000"] {
		f.broken(plain(run_as(user))) == {"image-user"}
	}
	f.texts(plain(run_as(""))) == {["a user other than root", "no user, which is root"]}
	f.texts(plain(run_as("0:0"))) == {["a user other than root", "0:0"]}
}

test_not_root if {
	every user in ["app", "1000", "1000:0", "rooted", "00app"] {
		count(plain(run_as(user))) == 0
	}
	count(plain(f.built(object.union(f.artifact, {"user": ""})))) == 0
}

test_size if {
	count(plain(f.built(object.union(f.artifact, {"sizeBytes": 1048576})))) == 0
	f.broken(plain(f.built(object.union(f.artifact, {"sizeBytes": 1048577})))) == {"artifact-size"}
	f.texts(plain(f.built(object.union(f.artifact, {"sizeBytes": 1048577})))) == {["at most 1 MiB", "2 MiB"]}
}

unlocked(packages) := object.union(
	f.built(object.union(f.artifact, {"packages": packages})),
	{"sources": {"web": {"lockfiles": []}}},
)

test_lockfile if {
	f.broken(plain(unlocked([{"name": "a", "version": "1", "installScripts": false}]))) == {"lockfile-present"}
	f.paths(plain(unlocked([{"name": "a", "version": "1", "installScripts": false}])), "lockfile-present") == {"services.web.source"}
	count(plain(unlocked([]))) == 0
	count(plain(f.good)) == 0
}

scripted := f.built(object.union(f.artifact, {"packages": [
	{"name": "esbuild", "version": "0.28.0", "installScripts": true},
	{"name": "fastify", "version": "5.0.0", "installScripts": false},
]}))

test_install_scripts if {
	f.broken(plain(scripted)) == {"install-scripts"}
	f.texts(plain(scripted)) == {["packages with install scripts are listed in the parameter installScripts", "esbuild@0.28.0"]}
	count(judge(scripted, f.set_parameter("installScripts", ["esbuild"]))) == 0
	f.broken(judge(scripted, f.set_parameter("installScripts", ["fastify"]))) == {"install-scripts"}
}
