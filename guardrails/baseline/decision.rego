# The one question that the engine asks: may this go on?
package helix.guardrails

# METADATA
# entrypoint: true
decision := {"allow": allow, "findings": findings}

findings contains finding if {
	some violation in data.helix.rules.violation
	level := level_of(violation.rule)
	level != "off"
	applies(violation.rule)
	finding := object.union(violation, {"level": level})
}

default allow := false

allow if {
	complete
	not refused
}

refused if {
	some finding in findings
	finding.level == "mandatory"
}

# A rule that nobody gave a level or a place counts in full: an omission must not open a door.
level_of(rule) := object.get(data.helix.levels, rule, "mandatory")

applies(rule) if input.point in object.get(data.helix.catalog, [rule, "points"], ["plan", "artifact", "release"])

# Rules say nothing about what is not there, so what they look at has to be there.
complete if {
	input.point in {"plan", "artifact", "release"}
	time.parse_rfc3339_ns(input.time) > 0
	count(input.manifest.services) >= 0
	is_object(input.artifacts)
	is_object(input.plugins)
	is_object(data.helix.levels)
	is_object(data.helix.parameters)
}
