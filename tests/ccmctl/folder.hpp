// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

// One of the test's own, gone with it.
class Folder {
public:
	Folder()
	{
		std::string name =
			std::filesystem::temp_directory_path() / "ccm-XXXXXX";

		path_ = mkdtemp(name.data());
	}
	~Folder()
	{
		std::filesystem::remove_all(path_);
	}
	Folder(const Folder &) = delete;
	Folder &operator=(const Folder &) = delete;

	std::string path(const std::string &name) const
	{
		return path_ / name;
	}

	// A file that its owner alone may read.
	std::string write(const std::string &name, const std::string &text)
	{
		using std::filesystem::perms;

		std::ofstream(path(name)) << text;
		std::filesystem::permissions(
			path(name), perms::owner_read | perms::owner_write);
		return path(name);
	}

private:
	std::filesystem::path path_;
};
