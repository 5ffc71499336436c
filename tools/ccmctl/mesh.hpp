// SPDX-License-Identifier: GPL-2.0
//
// What a manager has to do: from what the file wants, what the kernel has and
// what happens, to the next operations. It does none of them, has no clock and
// throws no dice.
//
// Of two nodes the lower number connects and the higher listens. What is to be
// done for a peer follows from its state alone, so nothing is lost with a
// manager that ends. Attempts begin apart: first at once, then after a pause
// that doubles up to a limit, less up to a half of it by chance. The pause is
// counted from the beginning of an attempt, or one that took long would make
// the next one later still.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "ccm.hpp"

namespace ccmctl {

class Mesh {
public:
	using Time = std::chrono::steady_clock::time_point;
	using Pause = std::chrono::milliseconds;
	using Chance = std::function<double()>; // from 0 up to 1

	struct Wanted {
		std::uint32_t self = 0;
		std::vector<PeerConfig> peers; // with all that is optional
		Pause first{};
		Pause most{};
	};

	enum class What {
		Add,
		Set,
		Delete,
		Connect,
		Listen,
		Close,
		Poke,
		Ping
	};

	struct Operation {
		What what;
		PeerConfig peer; // of Add and Set all counts, else the number
	};

	explicit Mesh(Chance chance) : chance_(std::move(chance))
	{
	}

	// What is to be, from now on.
	void want(const Wanted &wanted, Time now);
	// What there is: all peers.
	void see(const std::vector<Peer> &peers, Time now);
	void hear(const Event &event, Time now);

	// What is to be done now. Each has to be tried, and did() told, with a
	// positive errno if it failed; then there may be more.
	std::vector<Operation> due(Time now) const;
	void did(const Operation &operation, int error, Time now);

	// When something will be due, if nothing happens.
	std::optional<Time> next(Time now) const;

	// What is known may be wrong: see() wanted.
	bool stale() const
	{
		return stale_;
	}
	void lost()
	{
		stale_ = true;
	}

private:
	// As the kernel has it.
	struct Seen {
		PeerConfig config;
		ccm_state state = CCM_STATE_DOWN;
		bool listening = false;
		bool deleting = false; // an event tells the end
	};

	struct Link {
		std::optional<PeerConfig> wanted;
		std::optional<Seen> seen;
		unsigned int failures = 0; // since it was last well
		bool ping = false;	   // to find out whether it is there
		Time rest{};		   // do nothing before
		Time next{};		   // connect or poke not before
		Time began{};		   // the last attempt
		Time up{};		   // since when, if it is
	};

	using Links = std::map<std::uint32_t, Link>;

	std::optional<What> what_for(std::uint32_t number, const Link &link,
				     Time now) const;
	std::optional<What> what_for_connection(std::uint32_t number,
						const Link &link,
						Time now) const;
	void gone(Links::iterator at);
	void change(std::uint32_t number, Link &link, ccm_state to, Time now);
	void poked(Link &link, Time now);
	void done(const Operation &operation, Link &link, Time now);
	Pause pause(unsigned int failures) const;

	Chance chance_;
	Wanted wanted_;
	Links links_;
	bool stale_ = true;
};

}
