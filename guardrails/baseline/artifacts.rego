# What was built.
package helix.rules

violation contains {
	"rule": "image-tag",
	"path": sprintf("artifacts.%s.base", [name]),
	"message": sprintf("the image of %s is made from %s, which changes without notice", [name, base]),
	"needed": "a base image with a version or a digest",
	"found": base,
	"fix": sprintf("Write a version or a digest into the FROM line of the Dockerfile of %s.", [name]),
} if {
	some name, artifact in input.artifacts
	some base in artifact.base
	is_floating(base)
}

is_floating(base) if endswith(base, ":latest")

is_floating(base) if {
	base != "scratch"
	not contains(base, "@sha256:")
	not regex.match(`:[^/]+$`, base)
}

violation contains {
	"rule": "image-user",
	"path": sprintf("artifacts.%s.user", [name]),
	"message": sprintf("the image of %s runs as root", [name]),
	"needed": "a user other than root",
	"found": root_name(artifact.user),
	"fix": sprintf("Add a USER line with a user other than root to the Dockerfile of %s.", [name]),
} if {
	some name, artifact in input.artifacts
	artifact.kind == "oci-image"
	regex.match(`^(root|0)?(:.*)?$`, artifact.user)
}

root_name(user) := user if user != ""

root_name("") := "no user, which is root"

violation contains {
	"rule": "artifact-size",
	"path": sprintf("artifacts.%s.sizeBytes", [name]),
	"message": sprintf("the artifact of %s has %d MiB", [name, mebibytes(artifact.sizeBytes)]),
	"needed": sprintf("at most %d MiB", [mebibytes(parameters.artifact.maxBytes)]),
	"found": sprintf("%d MiB", [mebibytes(artifact.sizeBytes)]),
	"fix": sprintf("Leave out what %s does not need when it runs, or list it in .helixignore.", [name]),
} if {
	some name, artifact in input.artifacts
	artifact.sizeBytes > parameters.artifact.maxBytes
}

violation contains {
	"rule": "lockfile-present",
	"path": sprintf("services.%s.source", [name]),
	"message": sprintf("service %s has dependencies and no lockfile, so two builds may differ", [name]),
	"needed": "a lockfile beside package.json",
	"found": "none",
	"fix": sprintf("Commit the lockfile of %s (package-lock.json, pnpm-lock.yaml or yarn.lock).", [name]),
} if {
	some name, artifact in input.artifacts
	count(artifact.packages) > 0
	count(input.sources[name].lockfiles) == 0
}

violation contains {
	"rule": "install-scripts",
	"path": sprintf("artifacts.%s.packages", [name]),
	"message": sprintf("%s of %s runs a script when it is installed", [dependency.name, name]),
	"needed": "packages with install scripts are listed in the parameter installScripts",
	"found": sprintf("%s@%s", [dependency.name, dependency.version]),
	"fix": sprintf("Remove %s, or have it added to the parameter installScripts.", [dependency.name]),
} if {
	some name, artifact in input.artifacts
	some dependency in artifact.packages
	dependency.installScripts
	not dependency.name in parameters.installScripts
}
