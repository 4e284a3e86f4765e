# What a service asks for in helix.yaml.
package helix.rules

parameters := data.helix.parameters

violation contains {
	"rule": "replica-bounds",
	"path": sprintf("services.%s.replicas", [name]),
	"message": sprintf("service %s asks for %d replicas", [name, service.replicas]),
	"needed": sprintf("%d to %d replicas", [parameters.replicas.min, parameters.replicas.max]),
	"found": sprintf("%d", [service.replicas]),
	"fix": sprintf("Set services.%s.replicas to a number from %d to %d.", [name, parameters.replicas.min, parameters.replicas.max]),
} if {
	some name, service in input.manifest.services
	out_of_bounds(service)
}

out_of_bounds(service) if service.replicas > parameters.replicas.max

# A single writer cannot have a second one beside it.
out_of_bounds(service) if {
	service.replicas < parameters.replicas.min
	not has_single_writer(service)
}

has_single_writer(service) if {
	some volume in service.volumes
	volume.writers == "single"
}

violation contains {
	"rule": "memory-limit",
	"path": sprintf("services.%s.resources.memory", [name]),
	"message": sprintf("service %s has no memory limit", [name]),
	"needed": "a memory limit",
	"found": "none",
	"fix": sprintf("Add `resources: { memory: 256Mi }` to services.%s.", [name]),
} if {
	some name, service in input.manifest.services
	service.resources.memoryBytes == null
}

violation contains {
	"rule": "memory-bounds",
	"path": sprintf("services.%s.resources.memory", [name]),
	"message": sprintf("service %s asks for %d MiB of memory", [name, mebibytes(service.resources.memoryBytes)]),
	"needed": sprintf("at most %d MiB", [mebibytes(parameters.memory.maxBytes)]),
	"found": sprintf("%d MiB", [mebibytes(service.resources.memoryBytes)]),
	"fix": sprintf("Set services.%s.resources.memory to %dMi or less.", [name, mebibytes(parameters.memory.maxBytes)]),
} if {
	some name, service in input.manifest.services
	service.resources.memoryBytes > parameters.memory.maxBytes
}

mebibytes(bytes) := ceil(bytes / 1048576)

violation contains {
	"rule": "health-check",
	"path": sprintf("services.%s.health.path", [name]),
	"message": sprintf("service %s has no health check", [name]),
	"needed": "a path that answers 2xx or 3xx while the service is well",
	"found": "none",
	"fix": sprintf("Add `health: { path: /health }` to services.%s.", [name]),
} if {
	some name, service in input.manifest.services
	service.health.path == null
}

violation contains {
	"rule": "owner-present",
	"path": sprintf("services.%s.labels.owner", [name]),
	"message": sprintf("nobody is named as the owner of service %s", [name]),
	"needed": "a label `owner`",
	"found": "none",
	"fix": sprintf("Add `labels: { owner: <team> }` to services.%s.", [name]),
} if {
	some name, service in input.manifest.services
	not has_label(service, "owner")
}

violation contains {
	"rule": "labels-required",
	"path": sprintf("services.%s.labels.%s", [name, label]),
	"message": sprintf("service %s has no label %s", [name, label]),
	"needed": sprintf("a label `%s`", [label]),
	"found": "none",
	"fix": sprintf("Add `%s` to services.%s.labels.", [label, name]),
} if {
	some name, service in input.manifest.services
	some label in parameters.labels
	not has_label(service, label)
}

has_label(service, label) if trim_space(service.labels[label]) != ""

violation contains {
	"rule": "warm-release",
	"path": "rollback.keep",
	"message": "no former release is kept warm, so a rollback has to start one",
	"needed": "rollback.keep of 1 or more",
	"found": "0",
	"fix": "Set rollback.keep to 1.",
} if {
	input.manifest.rollback.keep < 1
}
