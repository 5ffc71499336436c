// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <iostream>

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
	std::cout << '\n';
}

std::string explanation(const Peer &peer)
{
	std::string why = why_text(peer.reason, peer.error);

	if (peer.listening && peer.state != CCM_STATE_UP)
		why += why.empty() ? "may connect" : "; may connect again";
	return why;
}

void print_peers(const std::vector<Peer> &peers)
{
	Table table({{"PEER", Table::Align::Right},
		     {"STATE"},
		     {"FOR", Table::Align::Right},
		     {"ADDRESS"},
		     {"TO SEND", Table::Align::Right},
		     {"TO TAKE", Table::Align::Right},
		     {"WHY"}});

	for (const auto &peer : peers)
		table.add({std::to_string(peer.number), state_text(peer),
			   duration_text(peer.since_ms),
			   peer.remote ? endpoint_text(*peer.remote) : "-",
			   size_text(peer.queued_out),
			   size_text(peer.queued_in), explanation(peer)});
	table.print(std::cout);
}

}

void show_peers(std::uint32_t number, bool json)
{
	Ccm ccm;
	const Node node = ccm.node();
	const auto peers = number != 0 ? std::vector{ccm.peer(number)}
				       : ccm.peers();

	if (json) {
		print_json(std::cout, node, peers);
		return;
	}
	print_title(node);
	if (!peers.empty())
		print_peers(peers);
}

}
