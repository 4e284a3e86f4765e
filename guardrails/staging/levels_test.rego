package helix.levels_test

import data.helix.fixtures as f
import data.helix.guardrails

decide(document) := decision if {
	decision := guardrails.decision with input as document
}

levels_of(document) := {finding.rule: finding.level | some finding in decide(document).findings}

careless := f.web({"health": {"path": null}, "resources": {"memoryBytes": null}, "labels": {"owner": ""}})

# Staging refuses what production will refuse, and lets somebody waive it.
test_what_can_be_waived if {
	levels_of(careless) == {"health-check": "soft-mandatory", "memory-limit": "soft-mandatory", "owner-present": "soft-mandatory"}
	decide(careless).allow == true
}

test_what_cannot if decide(f.web({"env": {"A": "[masked: AWS access key]"}})).allow == false

test_a_careful_service if decide(f.good) == {"allow": true, "findings": set()}
