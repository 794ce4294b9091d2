// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <gvc.h>

#include <elegans/elegans.hpp>
#if __has_include(<elegans/graph/graph.hpp>)
#include <elegans/graph/graph.hpp>
#endif

// Calls both of Graphviz' libraries.
int main() {
  char name[] = "wiring";
  Agraph_t* graph = agopen(name, Agdirected, nullptr);
  GVC_t* context = gvContext();
  gvFreeContext(context);
  return agclose(graph);
}
