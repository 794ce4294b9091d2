// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <gvc.h>
#if defined(__unix__) || defined(__APPLE__)
#include <locale.h>
#endif
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include <elegans/core/error.hpp>
#include <elegans/graph/dot.hpp>
#include <elegans/graph/options.hpp>
#include <elegans/system/file.hpp>

namespace elegans {

namespace detail {

struct FreeContext {
  void operator()(GVC_t* context) const { gvFreeContext(context); }
};

/// The layout of a graph. Graphviz wants it freed before the graph, so the graph must outlive it.
class Layout {
 public:
  Layout(GVC_t* context, Agraph_t* graph, const std::string& engine) : context_(context), graph_(graph) {
    if (gvLayout(context, graph, engine.c_str()) != 0) refuse("graph: Graphviz has no layout '", engine, "'");
  }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  ~Layout() { gvFreeLayout(context_, graph_); }

 private:
  GVC_t* context_;
  Agraph_t* graph_;
};

#if defined(__unix__) || defined(__APPLE__)
/// Lets the C library of this thread write and read numbers with a point, whatever the locale of the program is:
/// Graphviz prints them with `printf`, and reads positions with `scanf`.
class DecimalPoint {
 public:
  DecimalPoint() : point_(::newlocale(LC_NUMERIC_MASK, "C", static_cast<::locale_t>(nullptr))) {
    if (point_) before_ = ::uselocale(point_);
  }
  DecimalPoint(const DecimalPoint&) = delete;
  DecimalPoint& operator=(const DecimalPoint&) = delete;
  ~DecimalPoint() {
    if (!point_) return;
    ::uselocale(before_);
    ::freelocale(point_);
  }

 private:
  ::locale_t point_;
  ::locale_t before_{};
};
#else
struct DecimalPoint {};
#endif

}  // namespace detail

/// The bytes of a picture of a wiring.
///
/// \param format  "svg" or "png"
/// \throws InvalidArgument for another format or an unknown layout, or before the `build` of the wiring
/// \throws RuntimeError    if Graphviz fails
/// \note   Graphviz has global state, so draw from one thread at a time.
template <AnyWiring W>
[[nodiscard]] std::string render(const W& wiring, const std::string& format, const GraphOptions& options = {}) {
  if (format != "svg" && format != "png") {
    detail::refuse("graph: the format must be svg or png, got '", format, "'");
  }
  agseterr(AGMAX);  // we report failures as errors, not on standard error
  [[maybe_unused]] const detail::DecimalPoint decimal_point;
  const std::unique_ptr<GVC_t, detail::FreeContext> context(gvContext());
  const detail::GraphHandle graph = detail::graph_of(wiring, options);
  const detail::Layout layout(context.get(), graph.get(), options.layout == "layers" ? "neato" : options.layout);
  char* data = nullptr;
  unsigned int size = 0;
  if (gvRenderData(context.get(), graph.get(), format.c_str(), &data, &size) != 0 || !data) {
    detail::fail("graph: Graphviz could not render ", format);
  }
  std::string bytes(data, size);
  gvFreeRenderData(data);
  return bytes;
}

/// Draws a wiring to a file, `.dot`, `.svg` or `.png`. The file appears whole or not at all.
///
/// \throws InvalidArgument for another extension, and where `render` throws it
/// \throws RuntimeError    if the file cannot be written
template <AnyWiring W>
void draw(const W& wiring, const std::filesystem::path& path, const GraphOptions& options = {}) {
  const std::string extension = path.extension().string();
  if (extension != ".dot" && extension != ".svg" && extension != ".png") {
    detail::refuse("draw: the file must end in .dot, .svg or .png, got '", path.string(), "'");
  }
  write_file(path, extension == ".dot" ? to_dot(wiring, options) : render(wiring, extension.substr(1), options));
}

}  // namespace elegans
