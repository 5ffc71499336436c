// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <algorithm>
#include <iostream>

#include "ccm.hpp"
#include "json.hpp"
#include "table.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

// By what happens to them, the oldest first.
bool comes_before(const Call &a, const Call &b)
{
	return a.what != b.what ? a.what < b.what : a.age_ms > b.age_ms;
}

void print_handlers(const std::vector<Handler> &handlers)
{
	Table table({{"MODULE", Table::Align::Right},
		     {"FUNCTION", Table::Align::Right},
		     {"KIND"},
		     {"RUNNING", Table::Align::Right}});

	for (const auto &handler : handlers)
		table.add({std::to_string(handler.module),
			   std::to_string(handler.function),
			   name_of(handler.kind),
			   std::to_string(handler.running)});
	table.print(std::cout);
}

void print_calls(const std::vector<Call> &calls)
{
	Table table({{"WHAT"},
		     {"PEER", Table::Align::Right},
		     {"MODULE", Table::Align::Right},
		     {"FUNCTION", Table::Align::Right},
		     {"SEQ", Table::Align::Right},
		     {"AGE", Table::Align::Right}});

	for (const auto &call : calls)
		table.add({name_of(call.what), std::to_string(call.node),
			   std::to_string(call.module),
			   std::to_string(call.function),
			   std::to_string(call.seqn),
			   duration_text(call.age_ms)});
	table.print(std::cout);
}

}

void show_calls(bool json)
{
	Ccm ccm;
	const auto handlers = ccm.handlers();
	auto calls = ccm.calls();
	std::stable_sort(calls.begin(), calls.end(), comes_before);

	if (json) {
		print_json(std::cout, handlers, calls);
		return;
	}
	print_handlers(handlers);
	std::cout << '\n';
	print_calls(calls);
}

}
