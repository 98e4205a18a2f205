//! The attribute `#[minder_fault_injection::test]`; what it is for is said where that package re-exports it.
//! How a test is run is `Trial`'s business, in the package itself.

mod expand;

/// Makes an `async fn` a test that runs in the simulator.
#[proc_macro_attribute]
pub fn test(
    arguments: proc_macro::TokenStream,
    function: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let expanded = expand::expand(arguments.into(), function.into());
    expanded.unwrap_or_else(syn::Error::into_compile_error).into()
}
