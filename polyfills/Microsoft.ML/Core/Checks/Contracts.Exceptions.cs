using System.Globalization;

namespace Microsoft.ML.Runtime;

/// <summary>Makes the exceptions, without throwing them.</summary>
internal static partial class Contracts
{
    public static Exception Except() => Process(new InvalidOperationException());

    public static Exception Except(string msg) => Process(new InvalidOperationException(msg));

    public static Exception Except(string msg, params object[] args) => Process(new InvalidOperationException(Format(msg, args)));

    public static Exception Except(this IExceptionContext ctx, string msg) => Process(new InvalidOperationException(msg), ctx);

    public static Exception Except(this IExceptionContext ctx, string msg, params object[] args) =>
        Process(new InvalidOperationException(Format(msg, args)), ctx);

    public static Exception Except(this IExceptionContext ctx, Exception inner, string msg) =>
        Process(new InvalidOperationException(msg, inner), ctx);

    public static Exception ExceptUserArg(this IExceptionContext ctx, string name) => Process(new ArgumentOutOfRangeException(name), ctx);

    public static Exception ExceptUserArg(this IExceptionContext ctx, string name, string msg) =>
        Process(new ArgumentOutOfRangeException(name, msg), ctx);

    public static Exception ExceptParam(string paramName) => Process(new ArgumentOutOfRangeException(paramName));

    public static Exception ExceptParam(string paramName, string msg) => Process(new ArgumentOutOfRangeException(paramName, msg));

    public static Exception ExceptParam(string paramName, string msg, params object[] args) =>
        Process(new ArgumentOutOfRangeException(paramName, Format(msg, args)));

    public static Exception ExceptParam(this IExceptionContext ctx, string paramName) =>
        Process(new ArgumentOutOfRangeException(paramName), ctx);

    public static Exception ExceptParam(this IExceptionContext ctx, string paramName, string msg) =>
        Process(new ArgumentOutOfRangeException(paramName, msg), ctx);

    public static Exception ExceptParam(this IExceptionContext ctx, string paramName, string msg, params object[] args) =>
        Process(new ArgumentOutOfRangeException(paramName, Format(msg, args)), ctx);

    public static Exception ExceptValue(string paramName) => Process(new ArgumentNullException(paramName));

    public static Exception ExceptValue(this IExceptionContext ctx, string paramName) => Process(new ArgumentNullException(paramName), ctx);

    public static Exception ExceptEmpty(this IExceptionContext ctx, string paramName) =>
        Process(new ArgumentOutOfRangeException(paramName, $"{paramName} cannot be null or empty"), ctx);

    public static Exception ExceptWhiteSpace(this IExceptionContext ctx, string paramName) =>
        Process(new ArgumentOutOfRangeException(paramName, $"{paramName} cannot be null or white space"), ctx);

    public static Exception ExceptDecode(this IExceptionContext ctx, string msg = null) => Process(new FormatException(msg), ctx);

    public static Exception ExceptIO(this IExceptionContext ctx, string msg = null) => Process(new IOException(msg), ctx);

    public static Exception ExceptNotImpl(this IExceptionContext ctx, string msg = null) => Process(new NotImplementedException(msg), ctx);

    public static Exception ExceptNotSupp(string msg) => Process(new NotSupportedException(msg));

    public static Exception ExceptNotSupp(string msg, params object[] args) => Process(new NotSupportedException(Format(msg, args)));

    public static Exception ExceptNotSupp(this IExceptionContext ctx, string msg) => Process(new NotSupportedException(msg), ctx);

    public static Exception ExceptNotSupp(this IExceptionContext ctx, string msg, params object[] args) =>
        Process(new NotSupportedException(Format(msg, args)), ctx);

    public static Exception ExceptSchemaMismatch(string paramName, string columnRole, string columnName) =>
        ExceptSchemaMismatch(null, paramName, columnRole, columnName);

    public static Exception ExceptSchemaMismatch(this IExceptionContext ctx, string paramName, string columnRole, string columnName) =>
        Process(new ArgumentOutOfRangeException(paramName, $"Could not find {columnRole} column '{columnName}'"), ctx);

    public static Exception ExceptSchemaMismatch(
        this IExceptionContext ctx, string paramName, string columnRole, string columnName, string expectedType, string actualType) =>
        Process(
            new ArgumentOutOfRangeException(
                paramName, $"Schema mismatch for {columnRole} column '{columnName}': expected {expectedType}, got {actualType}"),
            ctx);

    private static string Format(string msg, object[] args) => string.Format(CultureInfo.InvariantCulture, msg, args);
}
