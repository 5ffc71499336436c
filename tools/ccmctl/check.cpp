// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <iostream>

#include "cluster.hpp"
#include "failure.hpp"
#include "json.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

// Which node this machine is, and a mistake if it is none; 0 if not asked for.
std::uint32_t self_in(ClusterFile &file, const CheckOptions &options)
{
	try {
		if (options.self)
			return find_self(file.cluster, own_addresses());
	} catch (const Failure &failure) {
		file.mistakes.push_back({0, failure.what()});
		return 0;
	}
	if (options.number != 0 &&
	    file.cluster.member(options.number) == nullptr)
		file.mistakes.push_back(
			{0,
			 "there is no node " + std::to_string(options.number)});
	return options.number;
}

}

void check_cluster(const std::string &path, const CheckOptions &options,
		   bool json)
{
	ClusterFile file = read_cluster(path);
	const std::uint32_t self = self_in(file, options);
	const std::size_t count = file.mistakes.size();

	if (json) {
		print_json(std::cout, path, file, self);
	} else {
		for (const Mistake &mistake : file.mistakes)
			std::cout << mistake_text(path, mistake) << '\n';
		if (count == 0)
			std::cout << path << ": " << file.cluster.members.size()
				  << " nodes of cluster " << file.cluster.name
				  << (self != 0 ? ", and this is node " +
							  std::to_string(self)
						: "")
				  << '\n';
	}
	if (count != 0)
		throw Failure(path + " has " + quantity_text(count, "mistake"));
}

}
