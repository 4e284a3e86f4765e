package helix.providers_test

import data.helix.fixtures as f
import data.helix.rules_test.judge

providers(changes) := f.set_parameter("providers", object.union({"build": null, "runtime": null, "delivery": null}, changes))

test_providers if {
	count(judge(f.good, providers({"build": ["node"], "runtime": ["docker", "process"], "delivery": ["router"]}))) == 0
	f.paths(judge(f.good, providers({"runtime": ["docker"]})), "provider-allowed") == {"services.web.runtime"}
	f.paths(judge(f.good, providers({"build": ["static"]})), "provider-allowed") == {"services.web.build"}
	f.paths(judge(f.good, providers({"delivery": []})), "provider-allowed") == {"services.web.delivery"}
	f.broken(judge(f.good, providers({"runtime": ["docker"]}))) == {"provider-allowed"}
	f.texts(judge(f.good, providers({"runtime": ["fly", "docker"]}))) == {["docker or fly", "process"]}
}

in_region(region) := f.web({"options": {"fly": {"region": region}}})

test_regions if {
	count(judge(in_region("ams"), f.parameters)) == 0
	count(judge(in_region("ams"), f.set_parameter("regions", ["ams"]))) == 0
	count(judge(f.web({"options": {"static": {"dir": "dist"}}}), f.set_parameter("regions", ["ams"]))) == 0
	f.paths(judge(in_region("iad"), f.set_parameter("regions", ["ams", "fra"])), "region-allowed") == {"services.web.fly.region"}
	f.texts(judge(in_region("iad"), f.set_parameter("regions", ["fra", "ams"]))) == {["ams or fra", "iad"]}
	f.broken(judge(in_region("iad"), f.set_parameter("regions", []))) == {"region-allowed"}
}

permissions(changes) := f.set_parameter("permissions", object.union({"net": null, "secrets": null, "exec": null, "fs": null}, changes))

test_permissions if {
	count(judge(f.good, permissions({"exec": ["node"]}))) == 0
	count(judge(f.good, permissions({"net": [], "secrets": [], "fs": []}))) == 0
	f.paths(judge(f.good, permissions({"exec": []})), "plugin-permissions") == {"plugins.process.permissions.exec"}
	f.texts(judge(f.good, permissions({"exec": []}))) == {["exec: none", "node"]}
	f.texts(judge(f.good, permissions({"exec": ["npm", "git"]}))) == {["exec: git, npm", "node"]}
	f.broken(judge(f.good, permissions({"exec": ["npm"]}))) == {"plugin-permissions"}
}

wanting(kind) := object.union(f.good, {"plugins": {"p": {"permissions": {kind: ["x"]}}}})

test_each_kind_of_permission if {
	every kind in ["net", "secrets", "exec", "fs"] {
		f.paths(judge(wanting(kind), permissions({kind: ["node"]})), "plugin-permissions") == {sprintf("plugins.p.permissions.%s", [kind])}
	}
}

costing(monthly) := object.union(f.good, {"cost": {"monthly": monthly, "currency": "EUR"}})

test_cost if {
	limit := f.set_parameter("cost", {"monthlyMax": 50})
	count(judge(f.good, limit)) == 0
	count(judge(costing(50), limit)) == 0
	count(judge(costing(5000), f.parameters)) == 0
	f.broken(judge(costing(50.5), limit)) == {"cost-limit"}
	f.texts(judge(costing(50.5), limit)) == {["at most 50", "51"]}
}
