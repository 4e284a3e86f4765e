package helix.freeze_test

import data.helix.fixtures as f
import data.helix.rules_test.judge

holidays := {"name": "the holidays", "from": "2026-12-20T00:00:00+01:00", "to": "2027-01-02T00:00:00+01:00"}

friday := {"name": "Friday afternoon", "days": ["Friday"], "from": "16:00", "to": "18:30", "zone": "Europe/Berlin"}

at(time) := object.union(f.good, {"time": time})

is_frozen(document, window) if f.broken(judge(document, f.set_parameter("freeze", [window]))) == {"freeze-window"}

is_free(document, window) if count(judge(document, f.set_parameter("freeze", [window]))) == 0

test_from_one_moment_to_another if {
	is_free(at("2026-12-19T22:59:59.999Z"), holidays)
	is_frozen(at("2026-12-19T23:00:00.000Z"), holidays)
	is_frozen(at("2027-01-01T22:59:59.999Z"), holidays)
	is_free(at("2027-01-01T23:00:00.000Z"), holidays)
}

# Berlin is an hour ahead in winter and two in summer.
test_hours_of_a_day_in_its_zone if {
	is_free(at("2026-11-20T14:59:59.999Z"), friday)
	is_frozen(at("2026-11-20T15:00:00.000Z"), friday)
	is_frozen(at("2026-11-20T17:29:59.999Z"), friday)
	is_free(at("2026-11-20T17:30:00.000Z"), friday)
	is_frozen(at("2026-07-17T14:00:00.000Z"), friday)
	is_free(at("2026-07-17T13:59:59.999Z"), friday)
	is_free(at("2026-11-19T15:30:00.000Z"), friday)
}

# It is Saturday in Auckland while it is Friday in Berlin.
test_days_are_those_of_the_zone if {
	saturday := {"name": "weekend", "days": ["Saturday", "Sunday"], "from": "00:00", "to": "24:00", "zone": "Pacific/Auckland"}
	is_frozen(at("2026-11-20T15:00:00.000Z"), saturday)
	is_free(at("2026-11-20T10:00:00.000Z"), saturday)
}

# A window is of one kind or the other: with days, its ends are hours.
test_a_window_with_days_has_no_moments if {
	is_frozen(at("2026-12-25T12:00:00.000Z"), holidays)
	is_free(at("2026-12-25T12:00:00.000Z"), object.union(holidays, {"days": ["Friday"], "zone": "UTC"}))
}

test_only_environments_that_are_named if {
	is_frozen(f.good, object.union(friday, {"environments": ["production"]}))
	is_free(f.good, object.union(friday, {"environments": ["staging"]}))
}

test_a_rollback_mends if {
	back := object.union(f.good, {"deployment": {"kind": "rollback"}})
	is_free(back, friday)
	is_free(back, object.union(friday, {"rollback": true}))
	is_frozen(back, object.union(friday, {"rollback": false}))
	is_frozen(f.good, object.union(friday, {"rollback": true}))
	is_frozen(object.union(f.good, {"deployment": null}), friday)
}

test_what_is_said if {
	found := judge(f.good, f.set_parameter("freeze", [friday]))
	f.paths(found, "freeze-window") == {"time"}
	f.texts(found) == {["a time outside of Friday afternoon", "2026-11-20T15:00:00.000Z"]}
}
