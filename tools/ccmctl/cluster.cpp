// SPDX-License-Identifier: GPL-2.0
#include "cluster.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <map>
#include <set>
#include <sstream>

#include <toml.hpp>

#include "failure.hpp"
#include "key.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

constexpr double kMsPerSecond = 1000;

unsigned int line_of(const toml::value &value)
{
	return value.location().line();
}

std::string number_text(double number)
{
	std::ostringstream text;

	text << number;
	return text.str();
}

// Takes what is known out of one table, and notes what is wrong with it.
class Section {
public:
	Section(const toml::value &table, std::string name,
		std::vector<Mistake> &mistakes)
		: table_(table), name_(std::move(name)), mistakes_(mistakes)
	{
	}

	const toml::value *find(const char *key)
	{
		known_.insert(key);
		const auto &all = table_.as_table();
		const auto at = all.find(key);
		return at == all.end() ? nullptr : &at->second;
	}

	void need(const char *key)
	{
		if (find(key) == nullptr)
			wrong(name_.empty() ? 0 : line_of(table_),
			      name_ + key + " is missing");
	}

	std::optional<std::string> text(const char *key);
	bool flag(const char *key);
	void whole(const char *key, long first, long last, auto &out);
	// In seconds there, in milliseconds here.
	void seconds(const char *key, double first, double last,
		     std::uint32_t &out);

	// To be called last.
	void unknown_keys();

	void wrong(unsigned int line, const std::string &what)
	{
		mistakes_.push_back({line, what});
	}

	std::string name_of(const char *key) const
	{
		return name_ + key;
	}

private:
	const toml::value &table_;
	std::string name_; // "heartbeat.", or "" for the file itself
	std::vector<Mistake> &mistakes_;
	std::set<std::string> known_;
};

std::optional<std::string> Section::text(const char *key)
{
	const toml::value *value = find(key);

	if (value == nullptr)
		return std::nullopt;
	if (value->is_string())
		return value->as_string().str;
	wrong(line_of(*value),
	      name_ + key + " has to be text, in quotation marks");
	return std::nullopt;
}

bool Section::flag(const char *key)
{
	const toml::value *value = find(key);

	if (value == nullptr)
		return false;
	if (value->is_boolean())
		return value->as_boolean();
	wrong(line_of(*value), name_ + key + " has to be true or false");
	return false;
}

void Section::whole(const char *key, long first, long last, auto &out)
{
	const toml::value *value = find(key);

	if (value == nullptr)
		return;
	if (value->is_integer() && value->as_integer() >= first &&
	    value->as_integer() <= last)
		out = static_cast<std::remove_reference_t<decltype(out)>>(
			value->as_integer());
	else
		wrong(line_of(*value), name_ + key +
					       " has to be a whole number, " +
					       std::to_string(first) + " to " +
					       std::to_string(last));
}

void Section::seconds(const char *key, double first, double last,
		      std::uint32_t &out)
{
	const toml::value *value = find(key);

	if (value == nullptr)
		return;
	const double given = value->is_floating() ? value->as_floating()
			     : value->is_integer()
				     ? static_cast<double>(value->as_integer())
				     : std::nan("");
	if (given >= first && given <= last) // which nan is not
		out = static_cast<std::uint32_t>(
			std::lround(given * kMsPerSecond));
	else
		wrong(line_of(*value),
		      name_ + key + " has to be a number of seconds, " +
			      number_text(first) + " to " + number_text(last));
}

void Section::unknown_keys()
{
	for (const auto &[key, value] : table_.as_table())
		if (!known_.contains(key))
			wrong(line_of(value), "there is no key " + name_ + key);
}

// All of the file.
class Reader {
public:
	ClusterFile read(const toml::value &root);

private:
	void read_name(Section &file);
	void read_key(Section &file);
	void read_times(Section &file);
	void read_members(Section &file);
	void read_member(const toml::value &table);
	void check_address(Section &section, const toml::value &value,
			   Member &member);
	void check_twice(Section &section, unsigned int line,
			 const Member &member);
	void part(Section &file, const char *key, auto &&read);

	ClusterFile result_;
	std::map<std::uint32_t, unsigned int> numbers_; // and their lines
	std::map<std::string, unsigned int> names_;
	std::map<std::string, unsigned int> addresses_;
	std::optional<bool> ipv6_;
};

ClusterFile Reader::read(const toml::value &root)
{
	Section file(root, "", result_.mistakes);

	read_name(file);
	read_key(file);
	file.whole("port", 1, 65535, result_.cluster.port);
	read_times(file);
	read_members(file);
	file.unknown_keys();
	std::stable_sort(result_.mistakes.begin(), result_.mistakes.end(),
			 [](const Mistake &a, const Mistake &b) {
				 return a.line < b.line;
			 });
	return std::move(result_);
}

void Reader::read_name(Section &file)
{
	const auto name = file.text("cluster");

	file.need("cluster");
	if (!name)
		return;
	const unsigned int line = line_of(*file.find("cluster"));
	if (name->empty() || name->size() > CCM_CLUSTER_MAX)
		file.wrong(line, "cluster has to be 1 to " +
					 std::to_string(CCM_CLUSTER_MAX) +
					 " bytes");
	if (std::any_of(name->begin(), name->end(), [](unsigned char byte) {
		    return byte < ' ' || byte == 0x7f;
	    }))
		file.wrong(line, "cluster has control characters");
	result_.cluster.name = *name;
}

void Reader::read_key(Section &file)
{
	const bool given = file.find("key") != nullptr;
	const auto path = file.text("key");

	result_.cluster.insecure = file.flag("insecure");
	if (given && result_.cluster.insecure)
		file.wrong(line_of(*file.find("insecure")),
			   "key and insecure exclude each other");
	if (!given && !result_.cluster.insecure)
		file.wrong(0, "there is neither a key nor insecure = true");
	if (!path)
		return;
	result_.cluster.key = *path;
	const std::string problem =
		path->starts_with('/')
			? key_problem(*path)
			: "the path '" + *path + "' has to begin with /";
	if (!problem.empty())
		file.wrong(line_of(*file.find("key")), "key: " + problem);
}

// part(FILE, "heartbeat", WHAT): WHAT(section), if there is that table.
void Reader::part(Section &file, const char *key, auto &&read)
{
	const toml::value *table = file.find(key);

	if (table == nullptr)
		return;
	if (!table->is_table()) {
		file.wrong(line_of(*table), std::string(key) +
						    " has to be a table: [" +
						    key + "]");
		return;
	}
	Section section(*table, std::string(key) + ".", result_.mistakes);
	read(section);
	section.unknown_keys();
}

void Reader::read_times(Section &file)
{
	constexpr double kLongest = CCM_TIMEOUT_MAX / kMsPerSecond;
	constexpr double kShortest = 0.01; // between two attempts
	Cluster &cluster = result_.cluster;

	file.seconds("grace", 0, kLongest, cluster.grace_ms);
	part(file, "heartbeat", [&](Section &section) {
		section.seconds("interval", CCM_INTERVAL_MIN / kMsPerSecond,
				kLongest, cluster.interval_ms);
		section.whole("limit", CCM_LIMIT_MIN, CCM_LIMIT_MAX,
			      cluster.limit);
	});
	part(file, "reconnect", [&](Section &section) {
		section.seconds("first", kShortest, kLongest, cluster.first_ms);
		section.seconds("most", kShortest, kLongest, cluster.most_ms);
		section.seconds("attempt", CCM_TIMEOUT_MIN / kMsPerSecond,
				kLongest, cluster.attempt_ms);
		const toml::value *last = section.find("most");
		if (last == nullptr)
			last = section.find("first");
		if (last != nullptr && cluster.most_ms < cluster.first_ms)
			section.wrong(line_of(*last),
				      "reconnect.most is less than "
				      "reconnect.first");
	});
}

void Reader::read_members(Section &file)
{
	const toml::value *members = file.find("node");

	if (members == nullptr) {
		file.wrong(0, "there is no [[node]]");
		return;
	}
	if (!members->is_array()) {
		file.wrong(line_of(*members),
			   "node has to be a list of tables: [[node]]");
		return;
	}
	for (const toml::value &member : members->as_array()) {
		if (member.is_table())
			read_member(member);
		else
			file.wrong(line_of(member),
				   "node has to be a table: [[node]]");
	}
}

void Reader::read_member(const toml::value &table)
{
	Section section(table, "node.", result_.mistakes);
	Member member;

	section.need("number");
	section.need("address");
	section.whole("number", 1, CCM_NODE_MAX, member.number);
	member.name = section.text("name").value_or("");
	if (section.text("address"))
		check_address(section, *section.find("address"), member);
	if (member.number != 0)
		check_twice(section, line_of(*section.find("number")), member);
	if (!member.name.empty()) {
		const unsigned int line = line_of(*section.find("name"));
		const auto [at, is_new] = names_.emplace(member.name, line);
		if (!is_new)
			section.wrong(line, "the name '" + member.name +
						    "' stands on line " +
						    std::to_string(at->second) +
						    " already");
	}
	section.unknown_keys();
	result_.cluster.members.push_back(std::move(member));
}

// An address that a node can have, of the IP version of the first.
void Reader::check_address(Section &section, const toml::value &value,
			   Member &member)
{
	const unsigned int line = line_of(value);

	member.line = line;
	try {
		member.address = parse_place(value.as_string().str,
					     result_.cluster.port);
	} catch (const Failure &problem) {
		section.wrong(line,
			      std::string("node.address: ") + problem.what());
		return;
	}
	if (!is_unicast(member.address))
		section.wrong(line,
			      "node.address: " + address_text(member.address) +
				      " is no address of one machine");
	if (ipv6_.value_or(member.address.ipv6) != member.address.ipv6)
		section.wrong(line, "node.address: the nodes above have the "
				    "other IP version");
	ipv6_ = ipv6_.value_or(member.address.ipv6);
	const std::string text = endpoint_text(member.address);
	const auto [at, is_new] = addresses_.emplace(text, line);
	if (!is_new)
		section.wrong(line,
			      "node.address: " + text + " stands on line " +
				      std::to_string(at->second) + " already");
}

void Reader::check_twice(Section &section, unsigned int line,
			 const Member &member)
{
	const auto [at, is_new] = numbers_.emplace(member.number, line);

	if (!is_new)
		section.wrong(line,
			      "node.number: " + std::to_string(member.number) +
				      " stands on line " +
				      std::to_string(at->second) + " already");
}

// The parser's own words begin with the name of one of its functions, and go on
// with a drawing of several lines.
std::string syntax_words(const std::string &all)
{
	std::string words = all.substr(0, all.find('\n'));
	const auto colon = words.rfind(": ", words.find('"'));

	if (colon != std::string::npos)
		words = words.substr(colon + 2);
	if (words.ends_with('.'))
		words.pop_back();
	return "this is no TOML: " + words;
}

// What stands in the file; "" and a reason if that cannot be had.
std::string read_text(const std::string &path, std::string &problem)
{
	constexpr std::size_t kMost = 1 << 20;
	std::string text(kMost + 1, '\0');

	errno = 0;
	std::ifstream file(path, std::ios::binary);
	file.read(text.data(), static_cast<std::streamsize>(text.size()));
	text.resize(static_cast<std::size_t>(file.gcount()));
	if (!file.is_open() || file.bad())
		problem = std::string("cannot read it: ") +
			  std::strerror(errno != 0 ? errno : EIO);
	else if (text.size() > kMost)
		problem = "it is larger than " + size_text(kMost);
	return text;
}

}

const Member *Cluster::member(std::uint32_t number) const
{
	const auto at = std::find_if(members.begin(), members.end(),
				     [number](const Member &member) {
					     return member.number == number;
				     });
	return at == members.end() ? nullptr : &*at;
}

ClusterFile parse_cluster(const std::string &text)
{
	std::istringstream from(text);

	try {
		return Reader().read(toml::parse(from));
	} catch (const toml::exception &error) {
		return {{},
			{{error.location().line(),
			  syntax_words(error.what())}}};
	}
}

ClusterFile read_cluster(const std::string &path)
{
	std::string problem;
	const std::string text = read_text(path, problem);

	if (!problem.empty())
		return {{}, {{0, problem}}};
	return parse_cluster(text);
}

Names read_names(const std::string &path, const std::string &cluster)
{
	const Cluster from = read_cluster(path).cluster;
	Names names;

	for (const Member &member : from.members)
		if (from.name == cluster && !member.name.empty())
			names[member.number] = member.name;
	return names;
}

std::string mistake_text(const std::string &path, const Mistake &mistake)
{
	if (mistake.line == 0)
		return path + ": " + mistake.what;
	return path + ":" + std::to_string(mistake.line) + ": " + mistake.what;
}

}
