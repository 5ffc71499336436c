// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <algorithm>
#include <iostream>
#include <string_view>

#include "ccm.hpp"
#include "json.hpp"
#include "table.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

void print_title(const Node &node)
{
	if (node.number == 0) {
		std::cout << "This node is not configured.\n";
		return;
	}
	std::cout << "Node " << node.number;
	if (!node.cluster.empty())
		std::cout << " of cluster " << node.cluster;
	if (node.local)
		std::cout << " at " << endpoint_text(*node.local);
	if (node.insecure)
		std::cout << ", insecure";
	if (node.managed)
		std::cout << ", managed";
	std::cout << '\n';
}

bool is_away(ccm_state state)
{
	return state == CCM_STATE_DOWN || state == CCM_STATE_CONNECTING ||
	       state == CCM_STATE_CLOSING;
}

std::string explanation(const Peer &peer)
{
	std::string why = why_text(peer.reason, peer.error);

	if (peer.listening && is_away(peer.state))
		why += why.empty() ? "may connect" : "; may connect again";
	return why;
}

std::uint64_t counter_of(const Peer &peer, std::string_view name)
{
	const auto at = std::find_if(peer.stats.begin(), peer.stats.end(),
				     [name](const Counter &counter) {
					     return counter.name == name;
				     });
	return at == peer.stats.end() ? 0 : at->value;
}

// There is a column for names if there are any.
void print_peers(const std::vector<Peer> &peers, const Names &names)
{
	std::vector<Table::Column> columns({{"PEER", Table::Align::Right},
					    {"STATE"},
					    {"FOR", Table::Align::Right},
					    {"ADDRESS"},
					    {"RTT", Table::Align::Right},
					    {"IN", Table::Align::Right},
					    {"OUT", Table::Align::Right},
					    {"TO SEND", Table::Align::Right},
					    {"TO TAKE", Table::Align::Right},
					    {"WHY"}});
	if (!names.empty())
		columns.insert(columns.end() - 1, {"NAME"});
	Table table(columns);

	for (const auto &peer : peers) {
		std::vector<std::string> row(
			{std::to_string(peer.number), state_text(peer),
			 duration_text(peer.since_ms),
			 peer.remote ? endpoint_text(*peer.remote) : "-",
			 peer.rtt_us ? round_trip_text(*peer.rtt_us) : "-",
			 size_text(counter_of(peer, "bytes-in")),
			 size_text(counter_of(peer, "bytes-out")),
			 size_text(peer.queued_out), size_text(peer.queued_in),
			 explanation(peer)});
		if (!names.empty())
			row.insert(row.end() - 1,
				   names.contains(peer.number)
					   ? names.at(peer.number)
					   : "-");
		table.add(row);
	}
	table.print(std::cout);
}

}

void show_peers(std::uint32_t number, const std::string &file, bool json)
{
	Ccm ccm;
	const Node node = ccm.node();
	const auto peers = number != 0 ? std::vector{ccm.peer(number)}
				       : ccm.peers();

	const Names names = read_names(file, node.cluster);

	if (json) {
		print_json(std::cout, node, peers, names);
		return;
	}
	print_title(node);
	if (!peers.empty())
		print_peers(peers, names);
}

}
