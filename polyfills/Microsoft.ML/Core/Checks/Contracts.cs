using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.Runtime;

/// <summary>Checks of arguments and states; the kinds of exception are ML.NET's.</summary>
internal static partial class Contracts
{
    private const string IsMarkedKey = "ML_IsMarked";

    public static TException Process<TException>(this TException ex, IExceptionContext ectx = null)
        where TException : Exception => ectx != null ? ectx.Process(ex) : Mark(ex);

    public static TException Mark<TException>(TException ex)
        where TException : Exception
    {
        ex.Data[IsMarkedKey] = 1;
        return ex;
    }

    public static bool IsMarked(this Exception ex) => ex.Data.Contains(IsMarkedKey);

    public static void Check(bool f)
    {
        if (!f)
            throw Except();
    }

    public static void Check(bool f, string msg)
    {
        if (!f)
            throw Except(msg);
    }

    public static void Check(this IExceptionContext ctx, bool f, string msg = null)
    {
        if (!f)
            throw msg == null ? Process(new InvalidOperationException(), ctx) : Except(ctx, msg);
    }

    public static void CheckUserArg(this IExceptionContext ctx, bool f, string name)
    {
        if (!f)
            throw ExceptUserArg(ctx, name);
    }

    public static void CheckUserArg(this IExceptionContext ctx, bool f, string name, string msg)
    {
        if (!f)
            throw ExceptUserArg(ctx, name, msg);
    }

    public static void CheckParam(bool f, string paramName)
    {
        if (!f)
            throw ExceptParam(paramName);
    }

    public static void CheckParam(bool f, string paramName, string msg)
    {
        if (!f)
            throw ExceptParam(paramName, msg);
    }

    public static void CheckParam(this IExceptionContext ctx, bool f, string paramName)
    {
        if (!f)
            throw ExceptParam(ctx, paramName);
    }

    public static void CheckParam(this IExceptionContext ctx, bool f, string paramName, string msg)
    {
        if (!f)
            throw ExceptParam(ctx, paramName, msg);
    }

    public static void CheckValue<T>(T val, string paramName)
        where T : class
    {
        if (val is null)
            throw ExceptValue(paramName);
    }

    public static void CheckValue<T>(this IExceptionContext ctx, T val, string paramName)
        where T : class
    {
        if (val is null)
            throw ExceptValue(ctx, paramName);
    }

    public static T CheckRef<T>(T val, string paramName)
        where T : class => val ?? throw ExceptValue(paramName);

    public static T CheckRef<T>(this IExceptionContext ctx, T val, string paramName)
        where T : class => val ?? throw ExceptValue(ctx, paramName);

    public static void CheckNonEmpty(string s, string paramName)
    {
        if (string.IsNullOrEmpty(s))
            throw ExceptEmpty(null, paramName);
    }

    public static void CheckNonEmpty(this IExceptionContext ctx, string s, string paramName, string msg = null)
    {
        if (string.IsNullOrEmpty(s))
            throw msg == null ? ExceptEmpty(ctx, paramName) : ExceptParam(ctx, paramName, msg);
    }

    public static void CheckNonEmpty<T>(this IExceptionContext ctx, IReadOnlyCollection<T> args, string paramName, string msg = null)
    {
        if (args is not { Count: > 0 })
            throw msg == null ? ExceptEmpty(ctx, paramName) : ExceptParam(ctx, paramName, msg);
    }

    public static void CheckNonWhiteSpace(this IExceptionContext ctx, string s, string paramName)
    {
        if (string.IsNullOrWhiteSpace(s))
            throw ExceptWhiteSpace(ctx, paramName);
    }

    public static void CheckDecode(this IExceptionContext ctx, bool f, string msg = null)
    {
        if (!f)
            throw ExceptDecode(ctx, msg);
    }

    public static void CheckIO(this IExceptionContext ctx, bool f, string msg = null)
    {
        if (!f)
            throw ExceptIO(ctx, msg);
    }

    [Conditional("DEBUG")]
    public static void Assert(bool f, [CallerArgumentExpression(nameof(f))] string what = null) => Debug.Assert(f, what);
}
