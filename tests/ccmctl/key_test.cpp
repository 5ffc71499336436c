// SPDX-License-Identifier: GPL-2.0
#include "key.hpp"

#include <sys/stat.h>

#include "failure.hpp"
#include "folder.hpp"
#include "text.hpp"

using namespace ccmctl;

namespace {

const std::string kDigits(64, 'a');

std::string content(const std::string &path)
{
	std::ifstream file(path);

	return {std::istreambuf_iterator<char>(file), {}};
}

unsigned int mode(const std::string &path)
{
	struct stat status {};

	stat(path.c_str(), &status);
	return status.st_mode & 0777;
}

} // namespace

CCM_TEST(key, generate__makes_what_can_be_read)
{
	Folder folder;
	const std::string path = folder.path("key");
	const mode_t before = umask(0);

	generate_key(path);
	umask(before);
	EXPECT_EQ(0600, mode(path));
	EXPECT_EQ(65, content(path).size());
	EXPECT_TEXT("", key_problem(path));
}

CCM_TEST(key, generate__makes_another_each_time)
{
	Folder folder;

	generate_key(folder.path("one"));
	generate_key(folder.path("two"));
	EXPECT(content(folder.path("one")) != content(folder.path("two")));
}

CCM_TEST(key, generate__writes_over_nothing)
{
	Folder folder;
	const std::string path = folder.write("key", "precious");
	bool refused = false;

	try {
		generate_key(path);
	} catch (const Failure &) {
		refused = true;
	}
	EXPECT(refused);
	EXPECT_TEXT("precious", content(path));
}

CCM_TEST(key, read__takes_digits_of_both_cases)
{
	Folder folder;
	Secret secret;

	read_key(folder.write("key", "0123456789abcdefABCDEF" +
					     std::string(42, '0') + "\n"),
		 secret);
	EXPECT_EQ(0x01, secret.bytes[0]);
	EXPECT_EQ(0xef, secret.bytes[7]);
	EXPECT_EQ(0xab, secret.bytes[8]);
	EXPECT_EQ(0, secret.bytes[31]);
}

CCM_TEST(key, problem__of_a_file_that_others_can_read)
{
	Folder folder;
	const std::string path = folder.write("key", kDigits + "\n");

	for (const mode_t open : {0640, 0604, 0620, 0601}) {
		chmod(path.c_str(), open);
		EXPECT_TEXT(path +
				    " is open to others than its owner: "
				    "chmod 600 " +
				    path,
			    key_problem(path));
	}
	chmod(path.c_str(), 0400);
	EXPECT_TEXT("", key_problem(path));
}

CCM_TEST(key, problem__of_a_file_that_holds_no_key)
{
	Folder folder;
	const auto problem = [&](const std::string &text) {
		return key_problem(folder.write("key", text));
	};
	const auto says = [](const std::string &text, const char *words) {
		return text.find(words) != std::string::npos;
	};

	EXPECT_TEXT("", problem(kDigits + "\n"));
	EXPECT(says(problem(""), "too short"));
	EXPECT(says(problem(std::string(63, 'a') + "\n"), "too short"));
	EXPECT(says(problem(kDigits), "more than a line"));
	EXPECT(says(problem(kDigits + "a\n"), "more than a line"));
	EXPECT(says(problem(kDigits + "\n\n"), "more than a line"));
	EXPECT(says(problem(std::string(64, 'g') + "\n"), "hexadecimal"));
	EXPECT(says(problem(" " + kDigits), "hexadecimal"));
	EXPECT(says(key_problem(folder.path("none")), "No such file"));
	EXPECT(says(key_problem(folder.path("")), "is no file"));
}
