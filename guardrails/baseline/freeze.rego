# Times when nothing new goes live.
package helix.rules

violation contains {
	"rule": "freeze-window",
	"path": "time",
	"message": sprintf("%s is frozen: %s", [input.environment, window.name]),
	"needed": sprintf("a time outside of %s", [window.name]),
	"found": input.time,
	"fix": sprintf("Wait until %s is over, or ask for a waiver.", [window.name]),
} if {
	some window in parameters.freeze
	is_meant(window)
	is_open(window)
	not is_excused(window)
}

is_meant(window) if not window.environments

is_meant(window) if input.environment in window.environments

# Going back is how a frozen environment is mended.
is_excused(window) if {
	input.deployment.kind == "rollback"
	object.get(window, "rollback", true)
}

now := time.parse_rfc3339_ns(input.time)

# From one moment to another.
is_open(window) if {
	not window.days
	now >= time.parse_rfc3339_ns(window.from)
	now < time.parse_rfc3339_ns(window.to)
}

# Hours of some days of the week, as the clocks of the zone show them.
is_open(window) if {
	time.weekday([now, window.zone]) in window.days
	minute_now(window.zone) >= minute_of(window.from)
	minute_now(window.zone) < minute_of(window.to)
}

minute_now(zone) := (clock[0] * 60) + clock[1] if clock := time.clock([now, zone])

minute_of(text) := (to_number(parts[0]) * 60) + to_number(parts[1]) if parts := split(text, ":")
