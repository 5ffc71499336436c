// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <iostream>

#include "ccm.hpp"
#include "json.hpp"
#include "table.hpp"

namespace ccmctl {

namespace {

void print_node(const Node &node)
{
	if (node.number == 0) {
		std::cout << "This node is not configured: "
			     "ccmctl node set N --address ADDRESS\n";
		return;
	}
	Table table({{""}, {""}});
	table.add({"Node", std::to_string(node.number)});
	table.add({"Cluster", node.cluster.empty() ? "-" : node.cluster});
	table.add({"Address", node.local ? endpoint_text(*node.local) : "-"});
	table.print(std::cout);
}

}

void show_node(bool json)
{
	const Node node = Ccm().node();

	if (json)
		print_json(std::cout, node);
	else
		print_node(node);
}

}
