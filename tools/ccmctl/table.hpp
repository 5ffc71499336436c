// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace ccmctl {

// Rows in columns as wide as need be.
class Table {
public:
	enum class Align { Left, Right };

	struct Column {
		std::string title;
		Align align = Align::Left;
	};

	// Without titles no line of titles is printed.
	explicit Table(std::vector<Column> columns);

	void add(std::vector<std::string> row);
	void print(std::ostream &out) const;

private:
	void print_row(std::ostream &out,
		       const std::vector<std::string> &row) const;

	std::vector<Column> columns_;
	std::vector<std::size_t> widths_;
	std::vector<std::vector<std::string>> rows_;
};

}
