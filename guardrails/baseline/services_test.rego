package helix.rules_test

import data.helix.fixtures as f
import data.helix.rules

judge(document, parameters) := violations if {
	violations := rules.violation with input as document with data.helix.parameters as parameters
}

plain(document) := judge(document, f.parameters)

test_a_good_input_breaks_nothing if count(plain(f.good)) == 0

test_replicas_at_the_bounds if {
	count(plain(f.web({"replicas": 2}))) == 0
	count(plain(f.web({"replicas": 4}))) == 0
}

test_replicas_beyond_the_bounds if {
	f.broken(plain(f.web({"replicas": 1}))) == {"replica-bounds"}
	f.broken(plain(f.web({"replicas": 5}))) == {"replica-bounds"}
	f.texts(plain(f.web({"replicas": 5}))) == {["2 to 4 replicas", "5"]}
	f.paths(plain(f.web({"replicas": 5})), "replica-bounds") == {"services.web.replicas"}
}

test_a_single_writer_needs_no_second if {
	count(plain(f.web({"replicas": 1, "volumes": {"data": {"writers": "single"}}}))) == 0
	f.broken(plain(f.web({"replicas": 1, "volumes": {"data": {"writers": "many"}}}))) == {"replica-bounds"}
	f.broken(plain(f.web({"replicas": 5, "volumes": {"data": {"writers": "single"}}}))) == {"replica-bounds"}
}

test_memory_limit if {
	f.broken(plain(f.web({"resources": {"memoryBytes": null}}))) == {"memory-limit"}
	f.paths(plain(f.web({"resources": {"memoryBytes": null}})), "memory-limit") == {"services.web.resources.memory"}
	count(plain(f.web({"resources": {"memoryBytes": 1}}))) == 0
}

test_memory_bounds if {
	count(plain(f.web({"resources": {"memoryBytes": 268435456}}))) == 0
	f.broken(plain(f.web({"resources": {"memoryBytes": 268435457}}))) == {"memory-bounds"}
	f.texts(plain(f.web({"resources": {"memoryBytes": 268435457}}))) == {["at most 256 MiB", "257 MiB"]}
}

test_health_check if {
	f.broken(plain(f.web({"health": {"path": null}}))) == {"health-check"}
	f.paths(plain(f.web({"health": {"path": null}})), "health-check") == {"services.web.health.path"}
	count(plain(f.web({"health": {"path": "/"}}))) == 0
}

test_owner if {
	without := f.input_of({"web": object.union(object.remove(f.service, ["labels"]), {"labels": {}})})
	f.broken(plain(without)) == {"owner-present"}
	f.broken(plain(f.web({"labels": {"owner": "  "}}))) == {"owner-present"}
	f.paths(plain(without), "owner-present") == {"services.web.labels.owner"}
}

test_labels if {
	wanted := f.set_parameter("labels", ["team", "tier"])
	f.paths(judge(f.good, wanted), "labels-required") == {"services.web.labels.team", "services.web.labels.tier"}
	f.broken(judge(f.good, wanted)) == {"labels-required"}
	f.paths(judge(f.web({"labels": {"team": "a"}}), wanted), "labels-required") == {"services.web.labels.tier"}
	count(judge(f.web({"labels": {"team": "a", "tier": "b"}}), wanted)) == 0
}

test_every_service_is_looked_at if {
	both := f.input_of({"web": f.service, "worker": object.union(f.service, {"replicas": 9})})
	f.paths(plain(both), "replica-bounds") == {"services.worker.replicas"}
}

test_a_warm_release if {
	f.broken(plain(object.union(f.good, {"manifest": {"rollback": {"keep": 0}}}))) == {"warm-release"}
	count(plain(object.union(f.good, {"manifest": {"rollback": {"keep": 1}}}))) == 0
}
