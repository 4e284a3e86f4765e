# What the tests of all rules start from: an input that breaks none.
package helix.fixtures

service := {
	"source": ".",
	"build": "node",
	"runtime": "process",
	"delivery": "router",
	"env": {"GREETING": "hello"},
	"health": {"path": "/health", "timeoutMs": 60000},
	"volumes": {},
	"replicas": 2,
	"resources": {"memoryBytes": 268435456, "cpu": null},
	"labels": {"owner": "shop-team"},
	"options": {},
}

artifact := {
	"kind": "node-bundle",
	"sizeBytes": 1048576,
	"base": [],
	"user": null,
	"packages": [{"name": "fastify", "version": "5.0.0", "installScripts": false}],
}

image := {
	"kind": "oci-image",
	"sizeBytes": 1048576,
	"base": ["node:22.1-slim"],
	"user": "app",
	"packages": [],
}

input_of(services) := {
	"point": "release",
	"time": "2026-11-20T15:00:00.000Z",
	"environment": "production",
	"deployment": {"kind": "deploy"},
	"manifest": {"services": services, "rollback": {"keep": 1}},
	"artifacts": {name: artifact | some name, _ in services},
	"sources": {name: {"lockfiles": ["package-lock.json"]} | some name, _ in services},
	"plugins": {"process": {"permissions": {"net": [], "secrets": [], "exec": ["node"], "fs": []}}},
	"cost": null,
}

good := input_of({"web": service})

web(changes) := input_of({"web": object.union(service, changes)})

built(of) := object.union(good, {"artifacts": {"web": of}})

parameters := {
	"replicas": {"min": 2, "max": 4},
	"memory": {"maxBytes": 268435456},
	"labels": [],
	"providers": {"build": null, "runtime": null, "delivery": null},
	"regions": null,
	"permissions": {"net": null, "secrets": null, "exec": null, "fs": null},
	"cost": {"monthlyMax": null},
	"artifact": {"maxBytes": 1048576},
	"installScripts": [],
	"freeze": [],
}

set_parameter(name, value) := object.union_n([object.remove(parameters, [name]), {name: value}])

# The rules that an input breaks.
broken(violations) := {violation.rule | some violation in violations}

paths(violations, rule) := {violation.path | some violation in violations; violation.rule == rule}

texts(violations) := {[violation.needed, violation.found] | some violation in violations}
