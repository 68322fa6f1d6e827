/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIBXML2_SHIM_H
#define CLIBXML2_SHIM_H
/* libxml2's ICU types collide with those that Foundation brings. */
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxml/xmlschemastypes.h>
#include <libxml/relaxng.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <string.h>

/* What the check below found: the first fault, with its place. Lines and columns count from 1. */
struct vctl_xml_fault {
    int code, line, column, doctype, depth, limit, too_deep, out_of_memory;
    xmlParserCtxtPtr parser;
    char message[200];
};

/* libxml2 2.12 made the error argument const, so Swift has no spelling that compiles with both. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *vctl_xml_error;
#else
typedef xmlErrorPtr vctl_xml_error;
#endif

static inline void vctl_xml_note(void *user, vctl_xml_error error) {
    struct vctl_xml_fault *fault = (struct vctl_xml_fault *)user;
    if (error->level < XML_ERR_ERROR || fault->code != 0 || fault->doctype || fault->too_deep) return;
    fault->code = error->code;
    fault->line = error->line;
    fault->column = error->int2;
    if (error->message) strncpy(fault->message, error->message, sizeof fault->message - 1);
}

static inline void vctl_xml_stop_here(struct vctl_xml_fault *fault) {
    fault->line = fault->parser->input ? fault->parser->input->line : 0;
    fault->column = fault->parser->input ? fault->parser->input->col : 0;
    xmlStopParser(fault->parser);
}

static inline void vctl_xml_doctype(void *user, const xmlChar *name, const xmlChar *id, const xmlChar *uri) {
    struct vctl_xml_fault *fault = (struct vctl_xml_fault *)user;
    (void)name, (void)id, (void)uri;
    if (fault->code) return;
    fault->doctype = 1;
    vctl_xml_stop_here(fault);
}

static inline void vctl_xml_open(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                                 int ns, const xmlChar **nss, int count, int defaulted,
                                 const xmlChar **attrs) {
    struct vctl_xml_fault *fault = (struct vctl_xml_fault *)user;
    (void)name, (void)prefix, (void)uri, (void)ns, (void)nss, (void)count, (void)defaulted, (void)attrs;
    if (++fault->depth <= fault->limit || fault->code || fault->too_deep) return;
    fault->too_deep = 1;
    vctl_xml_stop_here(fault);
}

static inline void vctl_xml_close(void *user, const xmlChar *name, const xmlChar *prefix,
                                  const xmlChar *uri) {
    (void)name, (void)prefix, (void)uri;
    ((struct vctl_xml_fault *)user)->depth--;
}

/* Well-formedness and namespaces of one document, without building a tree. In C, because the callbacks' types
   differ between libxml2's versions. Returns 1 when it is sound; `fault->limit` is the deepest nesting
   allowed. */
static inline int vctl_xml_check(const char *text, int length, struct vctl_xml_fault *fault) {
    xmlParserCtxtPtr parser = xmlCreateMemoryParserCtxt(text, length);
    int sound;
    if (!parser) return fault->out_of_memory = 1, 0;
    memset(parser->sax, 0, sizeof *parser->sax);
    parser->sax->initialized = XML_SAX2_MAGIC;
    parser->sax->serror = vctl_xml_note;
    parser->sax->internalSubset = vctl_xml_doctype;
    parser->sax->startElementNs = vctl_xml_open;
    parser->sax->endElementNs = vctl_xml_close;
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    fault->parser = parser;
    parser->userData = fault;
    xmlParseDocument(parser);
    sound = parser->wellFormed && !fault->code && !fault->doctype && !fault->too_deep;
    fault->parser = NULL;
    xmlFreeDoc(parser->myDoc);
    parser->myDoc = NULL;
    xmlFreeParserCtxt(parser);
    return sound;
}

static inline void vctl_xpath_ignore(void *user, vctl_xml_error error) { (void)user, (void)error; }

/* An XPath context whose errors stay off stderr and whose work is bounded. */
static inline xmlXPathContextPtr vctl_xpath_context(xmlDocPtr document) {
    xmlXPathContextPtr context = xmlXPathNewContext(document);
    if (!context) return NULL;
    context->error = vctl_xpath_ignore;
    context->opLimit = 2000000;
    return context;
}
#endif
