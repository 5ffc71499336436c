// SPDX-License-Identifier: GPL-2.0
//
// The file that describes a cluster, the same on all its nodes. See
// Documentation/ccm-cluster.toml.5.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "endpoint.hpp"

namespace ccmctl {

using Names = std::map<std::uint32_t, std::string>; // of nodes, by number

struct Member {
	std::uint32_t number = 0;
	std::string name; // may be empty
	Endpoint address;
	unsigned int line = 0; // in the file, where its address stands
};

struct Cluster {
	std::string name;
	std::string key; // path of the key's file; empty if it is insecure
	bool insecure = false;
	std::uint16_t port = CCM_PORT_DEFAULT;
	std::uint32_t grace_ms = 10000;
	std::uint32_t interval_ms = 1000; // of heartbeats
	std::uint32_t limit = CCM_LIMIT_DEFAULT;
	std::uint32_t first_ms = 100; // between two attempts to connect
	std::uint32_t most_ms = 1000;
	std::uint32_t attempt_ms = CCM_TIMEOUT_MIN; // and how long one may take
	std::vector<Member> members;

	const Member *member(std::uint32_t number) const;
};

struct Mistake {
	unsigned int line = 0; // 0: no line is to blame
	std::string what;
};

struct ClusterFile {
	Cluster cluster; // of use only without mistakes
	std::vector<Mistake> mistakes;
};

// Finds all mistakes, in the order of lines. One of TOML's syntax hides the rest.
ClusterFile parse_cluster(const std::string &text);
ClusterFile read_cluster(const std::string &path);

// The nodes' names in a file, if it is there and this cluster's, mistakes or not.
Names read_names(const std::string &path, const std::string &cluster);

// "/etc/ccm/cluster.toml:12: node 3 stands here twice"
std::string mistake_text(const std::string &path, const Mistake &mistake);

// Which member has one of these addresses. Throws Failure if none or several do.
std::uint32_t find_self(const Cluster &cluster,
			const std::vector<Endpoint> &addresses);

// Those of this machine's interfaces, without ports.
std::vector<Endpoint> own_addresses();

}
