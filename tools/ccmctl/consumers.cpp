// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <iostream>

#include "ccm.hpp"
#include "json.hpp"
#include "table.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

void print_consumers(const std::vector<Consumer> &consumers)
{
	Table table({{"MODULE", Table::Align::Right},
		     {"OWNER"},
		     {"RECEIVERS", Table::Align::Right},
		     {"MESSAGES", Table::Align::Right},
		     {"QUEUED", Table::Align::Right},
		     {"LARGEST", Table::Align::Right},
		     {"WINDOW", Table::Align::Right}});

	for (const auto &consumer : consumers)
		table.add({std::to_string(consumer.module),
			   consumer.attached ? consumer.owner : "(none)",
			   std::to_string(consumer.receivers),
			   std::to_string(consumer.messages),
			   size_text(consumer.queued),
			   size_text(consumer.max_size),
			   size_text(consumer.window)});
	table.print(std::cout);
}

}

void show_consumers(bool json)
{
	const auto consumers = Ccm().consumers();

	if (json)
		print_json(std::cout, consumers);
	else
		print_consumers(consumers);
}

}
