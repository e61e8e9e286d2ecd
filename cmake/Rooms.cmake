# A room is one static library. What it may include is its DEPS list and nothing else:
# tests/lint holds the #include lines against the same list.
function(apiquota_room name)
  cmake_parse_arguments(ROOM "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/agent/${name}/*.cc")
  add_library(room_${name} STATIC ${sources})
  set_target_properties(room_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(room_${name} PUBLIC "${CMAKE_SOURCE_DIR}/agent")
  list(TRANSFORM ROOM_DEPS PREPEND room_)
  target_link_libraries(room_${name} PUBLIC ${ROOM_DEPS} PRIVATE apiquota_flags PUBLIC ${ROOM_LIBS})
endfunction()

# tests/<room>/*_test.cc → <room>_test, run by ctest as one program.
function(apiquota_room_test name)
  cmake_parse_arguments(TEST "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${name}/*_test.cc")
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE "${CMAKE_SOURCE_DIR}")
  target_compile_definitions(${name}_test PRIVATE APIQUOTA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  list(TRANSFORM TEST_DEPS PREPEND room_)
  target_link_libraries(${name}_test PRIVATE room_${name} ${TEST_DEPS} apiquota_flags
                                             GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
endfunction()
