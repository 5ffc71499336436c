// SPDX-License-Identifier: GPL-2.0
#include "table.hpp"

#include <algorithm>
#include <utility>

namespace ccmctl {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns))
{
	for (const auto &column : columns_)
		widths_.push_back(column.title.size());
}

void Table::add(std::vector<std::string> row)
{
	row.resize(columns_.size());
	for (std::size_t i = 0; i < row.size(); i++)
		widths_[i] = std::max(widths_[i], row[i].size());
	rows_.push_back(std::move(row));
}

void Table::print_row(std::ostream &out,
		      const std::vector<std::string> &row) const
{
	std::string line;

	for (std::size_t i = 0; i < row.size(); i++) {
		const std::string blank(widths_[i] - row[i].size(), ' ');
		const bool left = columns_[i].align == Align::Left;

		if (i > 0)
			line += "  ";
		line += left ? row[i] + blank : blank + row[i];
	}
	line.erase(line.find_last_not_of(' ') + 1);
	out << line << '\n';
}

void Table::print(std::ostream &out) const
{
	std::vector<std::string> titles;

	for (const auto &column : columns_)
		titles.push_back(column.title);
	if (std::any_of(titles.begin(), titles.end(),
			[](const auto &title) { return !title.empty(); }))
		print_row(out, titles);
	for (const auto &row : rows_)
		print_row(out, row);
}

}
