// SPDX-License-Identifier: MIT
#include <spool/sinks/json_lines.hpp>
#include <spool/trace/json_line.hpp>

namespace spool::sinks {
namespace {

class JsonLinesSink final : public FileSink {
 public:
  JsonLinesSink(const std::filesystem::path& path, const FileOptions& options)
      : file_{path}, transitions_{options.transitions} {
    policy = options.policy;
  }

  void write(const SinkRecord& record) override {
    if (record.row->verb == trace::Verb::process) [[unlikely]] {
      std::string head;
      lines_.append(record, head);
      file_.set_head(std::move(head));
    }
    file_.add([&](trace::LineBuffer& out) { lines_.append(record, out); });
  }

  void flush() override { file_.flush(); }
  void reopen() noexcept override { file_.reopen(); }
  bool wants_transitions() const override { return transitions_; }
  bool wants_definitions() const override { return true; }

 private:
  File file_;
  const bool transitions_;
  trace::JsonLines lines_;
};

}  // namespace

std::shared_ptr<FileSink> json_lines(const std::filesystem::path& path, const FileOptions& options) {
  return std::make_shared<JsonLinesSink>(path, options);
}

}  // namespace spool::sinks
