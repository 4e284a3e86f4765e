package helix.guardrails_test

import data.helix.fixtures as f
import data.helix.guardrails

levels(level) := {"replica-bounds": level}

catalog := {"replica-bounds": {"points": ["plan", "release"]}}

bad := f.web({"replicas": 9})

decide(document, levels_by_rule) := decision if {
	decision := guardrails.decision with input as document
		with data.helix.levels as levels_by_rule
		with data.helix.catalog as catalog
		with data.helix.parameters as f.parameters
}

test_nothing_broken if decide(f.good, levels("mandatory")) == {"allow": true, "findings": set()}

test_mandatory_refuses if {
	decision := decide(bad, levels("mandatory"))
	decision.allow == false
	{finding.level | some finding in decision.findings} == {"mandatory"}
}

test_others_advise if {
	every level in ["advisory", "soft-mandatory"] {
		decision := decide(bad, levels(level))
		decision.allow == true
		{finding.level | some finding in decision.findings} == {level}
	}
}

test_off if decide(bad, levels("off")) == {"allow": true, "findings": set()}

test_a_rule_without_a_level_counts if decide(bad, {}).allow == false

test_a_rule_counts_at_its_points if {
	decide(object.union(bad, {"point": "artifact"}), levels("mandatory")) == {"allow": true, "findings": set()}
	decide(object.union(bad, {"point": "plan"}), levels("mandatory")).allow == false
}

test_a_rule_without_points_counts_everywhere if {
	every point in ["plan", "artifact", "release"] {
		decision := guardrails.decision with input as object.union(bad, {"point": point})
			with data.helix.levels as levels("mandatory")
			with data.helix.catalog as {}
			with data.helix.parameters as f.parameters
		decision.allow == false
	}
}

# What is missing could hide what is wrong.
test_an_incomplete_input_is_refused if {
	every part in ["point", "time", "manifest", "artifacts", "plugins"] {
		decide(object.remove(f.good, [part]), levels("mandatory")).allow == false
	}
	decide(object.union(f.good, {"point": "other"}), levels("mandatory")).allow == false
	decide(object.union(f.good, {"time": "1969-12-31T23:59:59Z"}), levels("mandatory")).allow == false
	decide(object.union(f.good, {"time": "yesterday"}), levels("mandatory")).allow == false
	decide(object.union(object.remove(f.good, ["artifacts"]), {"artifacts": []}), levels("mandatory")).allow == false
	decide(object.union(object.remove(f.good, ["plugins"]), {"plugins": []}), levels("mandatory")).allow == false
	decide(object.union(object.remove(f.good, ["manifest"]), {"manifest": {}}), levels("mandatory")).allow == false
}

# The first moment that is taken, and a manifest in which there is nothing to look at.
test_the_least_that_is_complete if {
	decide(object.union(f.good, {"time": "1970-01-01T00:00:00Z"}), levels("mandatory")).allow == false
	decide(object.union(f.good, {"time": "1970-01-01T00:00:00.000000001Z"}), levels("mandatory")).allow == true
	decide(f.input_of({}), levels("mandatory")).allow == true
}

test_missing_data_is_refused if {
	without_levels := guardrails.decision with input as f.good with data.helix.levels as null with data.helix.parameters as f.parameters
	without_levels.allow == false
	without_parameters := guardrails.decision with input as f.good with data.helix.levels as {} with data.helix.parameters as null
	without_parameters.allow == false
}

# What the committed data says for a level: nothing is left out of it.
test_levels_name_every_rule if {
	every rule, _ in data.helix.catalog {
		data.helix.levels[rule] in {"off", "advisory", "soft-mandatory", "mandatory"}
	}
	object.keys(data.helix.levels) == object.keys(data.helix.catalog)
}
