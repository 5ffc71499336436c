// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <iostream>

#include "ccm.hpp"
#include "json.hpp"
#include "table.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

std::string time_text(std::uint32_t milliseconds)
{
	if (milliseconds % 1000 == 0)
		return std::to_string(milliseconds / 1000) + " s";
	return std::to_string(milliseconds) + " ms";
}

void print_peers(const std::vector<Peer> &peers)
{
	Table table({{"PEER", Table::Align::Right},
		     {"ADDRESS"},
		     {"TIMEOUT", Table::Align::Right},
		     {"INTERVAL", Table::Align::Right},
		     {"LIMIT", Table::Align::Right},
		     {"STATE"}});

	for (const auto &peer : peers)
		table.add({std::to_string(peer.number),
			   peer.remote ? endpoint_text(*peer.remote) : "-",
			   peer.self ? "-" : time_text(peer.timeout_ms),
			   peer.interval_ms == 0 ? "-"
						 : time_text(peer.interval_ms),
			   peer.interval_ms == 0 ? "-"
						 : std::to_string(peer.limit),
			   state_text(peer)});
	table.print(std::cout);
}

}

void list_peers(bool json)
{
	const auto peers = Ccm().peers();

	if (json)
		print_json(std::cout, peers);
	else
		print_peers(peers);
}

}
