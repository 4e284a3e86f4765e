# Which plugins take part, where, and what they may touch.
package helix.rules

violation contains {
	"rule": "provider-allowed",
	"path": sprintf("services.%s.%s", [name, plane]),
	"message": sprintf("service %s uses the %s plugin %s", [name, plane, service[plane]]),
	"needed": concat(" or ", sort(parameters.providers[plane])),
	"found": service[plane],
	"fix": sprintf("Set services.%s.%s to %s.", [name, plane, concat(" or ", sort(parameters.providers[plane]))]),
} if {
	some name, service in input.manifest.services
	some plane in ["build", "runtime", "delivery"]
	is_array(parameters.providers[plane])
	not service[plane] in parameters.providers[plane]
}

violation contains {
	"rule": "region-allowed",
	"path": sprintf("services.%s.%s.region", [name, plugin]),
	"message": sprintf("service %s would run in %s", [name, options.region]),
	"needed": concat(" or ", sort(parameters.regions)),
	"found": options.region,
	"fix": sprintf("Set services.%s.%s.region to %s.", [name, plugin, concat(" or ", sort(parameters.regions))]),
} if {
	is_array(parameters.regions)
	some name, service in input.manifest.services
	some plugin, options in service.options
	not options.region in parameters.regions
}

violation contains {
	"rule": "plugin-permissions",
	"path": sprintf("plugins.%s.permissions.%s", [name, kind]),
	"message": sprintf("the plugin %s wants %s %s", [name, kind, permission]),
	"needed": sprintf("%s: %s", [kind, allowed_text(kind)]),
	"found": permission,
	"fix": sprintf("Use another plugin than %s, or have %s added to the permitted %s permissions.", [name, permission, kind]),
} if {
	some name, plugin in input.plugins
	some kind in ["net", "secrets", "exec", "fs"]
	is_array(parameters.permissions[kind])
	some permission in plugin.permissions[kind]
	not permission in parameters.permissions[kind]
}

allowed_text(kind) := "none" if count(parameters.permissions[kind]) == 0

allowed_text(kind) := concat(", ", sort(parameters.permissions[kind])) if count(parameters.permissions[kind]) > 0

violation contains {
	"rule": "cost-limit",
	"path": "cost.monthly",
	"message": sprintf("this would cost about %d %s a month", [ceil(input.cost.monthly), input.cost.currency]),
	"needed": sprintf("at most %d", [parameters.cost.monthlyMax]),
	"found": sprintf("%d", [ceil(input.cost.monthly)]),
	"fix": "Ask for fewer replicas, less memory or a smaller machine.",
} if {
	is_number(parameters.cost.monthlyMax)
	input.cost.monthly > parameters.cost.monthlyMax
}
