// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <iostream>

#include "ccm.hpp"
#include "json.hpp"
#include "key.hpp"
#include "table.hpp"

namespace ccmctl {

namespace {

std::string key_text(const Node &node)
{
	if (node.insecure)
		return "none: insecure";
	return node.keyed ? "yes" : "not set";
}

void print_node(const Node &node)
{
	if (node.number == 0) {
		std::cout << "This node is not configured: "
			     "see ccmctl node set --help, or ccmctl manage\n";
		return;
	}
	Table table({{""}, {""}});
	table.add({"Node", std::to_string(node.number)});
	table.add({"Cluster", node.cluster.empty() ? "-" : node.cluster});
	table.add({"Address", node.local ? endpoint_text(*node.local) : "-"});
	table.add({"Key", key_text(node)});
	table.add({"Manager", node.managed ? "yes" : "no"});
	table.print(std::cout);
}

}

namespace {

void set_key(Ccm &ccm, const std::string &cluster, const KeyOptions &options)
{
	if (options.insecure)
		ccm.set_insecure();
	else if (!options.description.empty())
		ccm.set_key(options.description);
	else
		set_key_file(ccm, cluster, options.file);
}

}

void set_node(const NodeConfig &config, const KeyOptions &options)
{
	Ccm ccm;

	// The key of one that is configured already is not ours to change.
	if (ccm.node().number == 0)
		set_key(ccm, config.cluster, options);
	ccm.set_node(config);
}

void set_key(const KeyOptions &options)
{
	Ccm ccm;

	set_key(ccm, ccm.node().cluster, options);
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
