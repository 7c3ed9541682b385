using System.Reflection;
using System.Runtime.ExceptionServices;

namespace Microsoft.ML.Internal.Utilities;

/// <summary>Calls generic methods whose type arguments are known only at run time.</summary>
internal static class Generic
{
    /// <summary>Calls the method of <paramref name="sample"/>, made for any type arguments, for the given type.</summary>
    public static TResult Invoke<TResult>(Delegate sample, Type type, params object[] args) => Invoke<TResult>(sample, [type], args);

    public static TResult Invoke<TResult>(Delegate sample, Type[] types, params object[] args)
    {
        MethodInfo method = sample.Method.GetGenericMethodDefinition().MakeGenericMethod(types);
        try
        {
            return (TResult)method.Invoke(sample.Target, args);
        }
        catch (TargetInvocationException ex)
        {
            ExceptionDispatchInfo.Throw(ex.InnerException);
            throw;
        }
    }
}
