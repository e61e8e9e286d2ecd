# Script half of Embed.cmake.
set(body "#include \"base/embedded.h\"\n\nnamespace apiquota {\nnamespace {\nconstexpr EmbeddedFile kFiles[] = {\n")
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" text)
  string(APPEND body "    {\"${name}\", R\"~embed~(${text})~embed~\"},\n")
endforeach()
string(APPEND body "};\n}  // namespace\n\nstd::span<const EmbeddedFile> Embedded_${NAME}() { return kFiles; }\n}  // namespace apiquota\n")
file(WRITE "${OUTPUT}" "${body}")
