// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <iostream>

#include "ccm.hpp"
#include "json.hpp"
#include "table.hpp"

namespace ccmctl {

namespace {

void print_stats(const std::string &title, const std::vector<Counter> &stats)
{
	Table table({{""}, {"", Table::Align::Right}, {""}});

	for (const auto &counter : stats)
		table.add({std::string("  ") + counter.name,
			   std::to_string(counter.value), counter.meaning});
	std::cout << title << '\n';
	table.print(std::cout);
}

}

void show_stats(std::uint32_t number, bool json)
{
	Ccm ccm;
	const Node node = ccm.node();
	const auto peers = number != 0 ? std::vector{ccm.peer(number)}
				       : ccm.peers();

	if (json) {
		print_json_stats(std::cout, node, peers);
		return;
	}
	if (number == 0)
		print_stats("Node " + std::to_string(node.number), node.stats);
	for (const auto &peer : peers) {
		const std::string title = "Peer " + std::to_string(peer.number);
		print_stats(title + (peer.self ? " (self)" : ""), peer.stats);
	}
}

}
